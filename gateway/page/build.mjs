/** Writes the page's files to ../midas_gateway/static: one script, one style sheet, the fonts, the sample photos. */
import { build } from "esbuild";
import { cpSync, mkdirSync, rmSync } from "node:fs";

const target = "../midas_gateway/static";

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
await build({
  entryPoints: { page: "src/main.js", style: "style/main.css" },
  bundle: true,
  minify: true,
  format: "esm",
  target: ["chrome123", "firefox120", "safari17.5"],
  legalComments: "inline",
  outdir: target,
  loader: { ".woff2": "file", ".svg": "file" },
  assetNames: "[name]",
  banner: { js: "/*! MIDAS gateway page, MIT licence. It holds no code of others. */" },
});
for (const each of ["index.html", "icon.svg", "samples", "fonts.LICENSE"]) cpSync(each, `${target}/${each}`, { recursive: true });
