/**
 * Writes the page's files to ../midas_gateway/static: one script, one style sheet, the fonts, the sample photos.
 * And the view in space by itself, for the room report, which carries it.
 */
import { build } from "esbuild";
import { cpSync, mkdirSync, rmSync } from "node:fs";

const target = "../midas_gateway/static";

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
const alike = {
  bundle: true,
  minify: true,
  format: /** @type {const} */ ("esm"),
  target: ["chrome123", "firefox120", "safari17.5"],
};
await build({
  ...alike,
  entryPoints: { page: "src/main.js", style: "style/main.css" },
  legalComments: "inline",
  outdir: target,
  loader: { ".woff2": "file", ".svg": "file" },
  assetNames: "[name]",
  banner: { js: "/*! MIDAS gateway page, MIT licence. It holds no code of others. */" },
});
for (const each of ["index.html", "icon.svg", "samples", "fonts.LICENSE"]) cpSync(each, `${target}/${each}`, { recursive: true });
await build({ ...alike, entryPoints: { view: "src/embedded.js" }, outdir: "../../examples/room_report/room_report" });
