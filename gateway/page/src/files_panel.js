/** What the visitor takes home. */
import { paint } from "./colours.js";
import { canvas } from "./elements.js";
import { glb } from "./files/glb.js";
import { npy } from "./files/npy.js";
import { ply } from "./files/ply.js";
import { surface } from "./files/surface.js";
import { film, videoKind } from "./files/video.js";
import { t } from "./language.js";
import { look } from "./look_panel.js";

const VIDEO_SECONDS = 4;

/**
 * @param {import("./stage.js").Stage} stage
 * @param {() => import("./main.js").Result | null} result
 */
export function startFiles(stage, result) {
  for (const each of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll("[data-file]"))) {
    each.addEventListener("click", async () => {
      const found = result();
      // Only what is shown can be taken.
      if (!found || found.depth !== stage.depth) return;
      each.disabled = true;
      try {
        const [content, ending] = await make(each.dataset.file ?? "", stage, found.depth, found.file, each);
        save(content, `${found.name}-depth.${ending}`);
      } finally {
        each.disabled = false;
        each.textContent = t(/** @type {import("./language.js").Word} */ (each.dataset.t));
      }
    });
    if (each.dataset.file === "video" && (!stage.gpu || !videoKind())) {
      each.disabled = true;
      each.title = t("no_video");
    }
  }
}

/**
 * @param {string} kind
 * @param {import("./stage.js").Stage} stage
 * @param {import("./depth.js").Depth} depth
 * @param {ArrayBuffer} file
 * @param {HTMLButtonElement} button
 * @returns {Promise<[Blob, string]>}
 */
async function make(kind, stage, depth, file, button) {
  if (kind === "png16") return [new Blob([file], { type: "image/png" }), "png"];
  if (kind === "npy") return [npy(depth), "npy"];
  if (kind === "video") {
    const content = await filmed(stage, button);
    return [content, content.type.endsWith("mp4") ? "mp4" : "webm"];
  }
  if (kind === "colour") {
    const paper = new OffscreenCanvas(depth.width, depth.height);
    paper.getContext("2d")?.putImageData(paint(look, depth), 0, 0);
    return [await paper.convertToBlob({ type: "image/png" }), "png"];
  }
  const shape = surface(stage.drawn ?? depth, stage.photoPixels(), stage.lens, stage.jump);
  return kind === "ply" ? [ply(shape, depth.isDistance ? "metres" : "relative"), "ply"] : [glb(shape), "glb"];
}

/**
 * Once around in the parallax, so that the video has no seam.
 * @param {import("./stage.js").Stage} stage
 * @param {HTMLButtonElement} button
 */
async function filmed(stage, button) {
  const before = stage.view;
  stage.setView("parallax");
  stage.filming = true;
  try {
    return await film(canvas("picture"), (share) => {
      stage.parallax?.draw(Math.sin(share * 2 * Math.PI), Math.cos(share * 2 * Math.PI) * 0.5, stage.strength);
      button.textContent = t("filming", { percent: Math.round(share * 100) });
    }, VIDEO_SECONDS);
  } finally {
    stage.filming = false;
    stage.setView(before);
  }
}

/**
 * @param {Blob} content
 * @param {string} name
 */
function save(content, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(content), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
