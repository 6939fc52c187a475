// From a file that somebody chose to what is sent and what is shown.

import { say } from "./words.js";

const SENT_SIDE = 1600; // a larger photo is made smaller first: the networks look at 256 to 1280 pixels
const LIMIT = 32_000_000; // bytes that the server takes

/**
 * @typedef {{name: string, sent: Blob, picture: ImageBitmap}} Photo
 */

/**
 * @param {File} file
 * @param {boolean} full send it as it is
 * @returns {Promise<Photo>}
 * @throws {Error} in the visitor's words, where it is no photo or too large
 */
export async function readPhoto(file, full) {
  const name = file.name || "photo";
  /** @type {ImageBitmap} */
  let whole;
  try {
    whole = await createImageBitmap(file); // turned upright, as the server does
  } catch {
    const head = new Uint8Array(await file.slice(4, 12).arrayBuffer());
    const brand = String.fromCharCode(...head);
    throw new Error(say(/^ftyp(heic|heix|mif1|hevc)/.test(brand) ? "heic" : "notPhoto", { name }));
  }
  const scale = Math.min(1, SENT_SIDE / Math.max(whole.width, whole.height));
  const plain = /^image\/(jpeg|png|webp)$/.test(file.type);
  if (plain && (full || scale === 1)) {
    if (file.size > LIMIT) {
      const size = (file.size / 1e6).toFixed(1);
      throw new Error(say("tooLarge", { name, size, limit: LIMIT / 1e6 }));
    }
    return { name, sent: file, picture: whole };
  }
  const [width, height] = [whole.width, whole.height].map((side) => Math.round(side * (full ? 1 : scale)));
  const picture = await createImageBitmap(whole, { resizeWidth: width, resizeHeight: height, resizeQuality: "high" });
  const canvas = new OffscreenCanvas(width, height);
  /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d")).drawImage(picture, 0, 0);
  return { name, sent: await canvas.convertToBlob({ type: "image/jpeg", quality: 0.93 }), picture };
}
