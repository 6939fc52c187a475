/**
 * The visitor's photo: read by the browser, made smaller where it need not be large, without what it says of its maker.
 */
import { Failure } from "./failure.js";

/**
 * @typedef {object} Photo
 * @property {ImageBitmap | null} picture as it is shown; null where the browser cannot read the file
 * @property {Blob} file what is sent
 * @property {string} name without its ending
 */

/** Pixels that are sent, unless the visitor asks for all: the networks look at fewer. */
const ENOUGH = 1_000_000;
/** As many as a browser can draw and turn. */
const MOST = 16_000_000;
/** What the server reads. What else the browser can read (AVIF, on some phones HEIC) is sent as JPEG. */
const READ = ["image/jpeg", "image/png", "image/webp"];

/**
 * @param {Blob} file
 * @param {string} name
 * @param {boolean} whole with all of its pixels, up to MOST
 * @returns {Promise<Photo>}
 */
export async function readPhoto(file, name, whole) {
  const bare = name.replace(/\.[^.]*$/, "") || "photo";
  /** @type {ImageBitmap} */
  let picture;
  try {
    picture = await createImageBitmap(file);
  } catch {
    // The server knows why, and says so in words. A folder cannot even be sent.
    await file.slice(0, 1).arrayBuffer().catch(() => { throw new Failure("not_a_photo"); });
    return { picture: null, file, name: bare };
  }
  const most = whole ? MOST : ENOUGH;
  const share = Math.min(1, Math.sqrt(most / (picture.width * picture.height)));
  const size = [picture.width, picture.height].map((side) => Math.max(1, Math.round(side * share)));
  const mayBeClear = file.type !== "image/jpeg";
  if (share === 1 && READ.includes(file.type) && !(mayBeClear && isClear(picture))) return { picture, file, name: bare };
  const canvas = new OffscreenCanvas(size[0], size[1]);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d", { alpha: false }));
  // What is seen through lies on paper, for the network as for the eye.
  context.fillStyle = "#fff";
  if (mayBeClear) context.fillRect(0, 0, size[0], size[1]);
  context.imageSmoothingQuality = share > 0.5 ? "high" : "medium";
  context.drawImage(picture, 0, 0, size[0], size[1]);
  picture.close();
  const smaller = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.92 });
  return { picture: canvas.transferToImageBitmap(), file: smaller, name: bare };
}

/** Whether any pixel lets the background through. @param {ImageBitmap} picture */
function isClear(picture) {
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  context.drawImage(picture, 0, 0);
  const { data } = context.getImageData(0, 0, picture.width, picture.height);
  for (let at = 3; at < data.length; at += 4) if (data[at] < 255) return true;
  return false;
}
