// The compared picture without WebGL: slower, on a plain canvas. Also what the colour PNG is made by.

import { stops } from "./gl.js";

/**
 * The depth in colours.
 * @param {import("./depth.js").Depth} depth
 * @param {import("./gl.js").Look} look
 */
export function coloured(depth, look) {
  const colours = stops(look.colormap);
  const table = new Uint8ClampedArray(4 * 4096);
  for (let step = 0; step < 4096; step++) {
    let shown = Math.min(1, Math.max(0, (step / 4095 - look.far) / Math.max(look.near - look.far, 1e-6)));
    if (look.invert) shown = 1 - shown;
    const stop = Math.min(31, Math.floor(shown * 32));
    for (let channel = 0; channel < 4; channel++) {
      const [from, to] = [colours[4 * stop + channel], colours[4 * stop + 4 + channel]];
      table[4 * step + channel] = from + (to - from) * (shown * 32 - stop);
    }
  }
  const words = new Uint32Array(table.buffer);
  const picture = new ImageData(depth.width, depth.height);
  const pixels = new Uint32Array(picture.data.buffer);
  for (let at = 0; at < pixels.length; at++) pixels[at] = words[depth.values[at] >> 4];
  return picture;
}

/** What compares photo and depth where there is no WebGL 2. */
export class FlatPainter {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    /** @type {import("./depth.js").Depth | null} */
    this.depth = null;
    /** @type {ImageBitmap | null} */
    this.photo = null;
  }

  /**
   * @param {import("./depth.js").Depth} depth
   * @param {ImageBitmap | null} photo
   */
  take(depth, photo) {
    [this.depth, this.photo] = [depth, photo];
  }

  /**
   * @param {import("./gl.js").Look} look
   * @param {number} across
   */
  compare(look, across) {
    if (!this.depth) return;
    const { canvas, context, depth, photo } = this;
    const part = new OffscreenCanvas(depth.width, depth.height);
    /** @type {OffscreenCanvasRenderingContext2D} */ (part.getContext("2d")).putImageData(coloured(depth, look), 0, 0);
    context.drawImage(part, 0, 0, canvas.width, canvas.height);
    const share = photo ? across : 0;
    if (photo && share > 0)
      context.drawImage(photo, 0, 0, photo.width * share, photo.height, 0, 0, canvas.width * share, canvas.height);
  }
}
