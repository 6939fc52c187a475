/**
 * The points of the photo that are not on an edge, with their colours: for PLY and GLB.
 */
import { onEdge, pointAt } from "../space.js";

/**
 * @typedef {object} Surface
 * @property {Float32Array} points x, y, z of each
 * @property {Uint8Array} colours red, green, blue and 255 of each
 * @property {Uint32Array} triangles three points of each
 */

const MOST = 400_000;

/**
 * @param {import("../depth.js").Depth} depth
 * @param {ImageData} photo of the size of the depth
 * @param {import("../space.js").Lens} lens
 * @param {number} jump as for steepest
 * @returns {Surface}
 */
export function surface(depth, photo, lens, jump) {
  let step = 1;
  while ((depth.width / step) * (depth.height / step) > MOST) step++;
  const columns = Math.ceil(depth.width / step);
  const rows = Math.ceil(depth.height / step);
  const numbers = new Int32Array(columns * rows).fill(-1);
  const points = [];
  const colours = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const [x, y] = [column * step, row * step];
      if (onEdge(depth, x, y, step, jump, lens.ratio)) continue;
      numbers[row * columns + column] = points.length / 3;
      points.push(...pointAt(depth, x + 0.5, y + 0.5, depth.nearness(x, y), lens));
      const at = (y * depth.width + x) * 4;
      colours.push(photo.data[at], photo.data[at + 1], photo.data[at + 2], 255);
    }
  }
  const triangles = [];
  for (let row = 0; row + 1 < rows; row++) {
    for (let column = 0; column + 1 < columns; column++) {
      const at = row * columns + column;
      const [a, b, c, d] = [numbers[at], numbers[at + 1], numbers[at + columns], numbers[at + columns + 1]];
      if (a >= 0 && b >= 0 && c >= 0) triangles.push(a, c, b);
      if (b >= 0 && c >= 0 && d >= 0) triangles.push(b, c, d);
    }
  }
  return { points: Float32Array.from(points), colours: Uint8Array.from(colours), triangles: Uint32Array.from(triangles) };
}
