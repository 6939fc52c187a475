/**
 * From depth to colour: one table of colours, made again whenever a choice changes.
 */
import { clahe } from "./clahe.js";
import { COLOUR_STEPS } from "./colour_steps.js";

/**
 * @typedef {object} Look
 * @property {string} map name of a colour map
 * @property {number} far nearness that gets the first colour, 0 to 1
 * @property {number} near nearness that gets the last one
 * @property {boolean} invert
 * @property {"none" | "global" | "clahe"} contrast none; the same number of pixels for each colour; that, part by part
 * @property {number} clip how much clahe may add
 * @property {number} tiles parts along each side for clahe
 * @property {boolean} contours lines of equal depth
 */

export const SIZE = 4096;
/** @type {Look["contrast"][]} */
export const CONTRASTS = ["none", "global", "clahe"];
export const MAPS = Object.keys(COLOUR_STEPS);

/**
 * The colour at a place of a map, 0 to 1.
 * @param {string} map
 * @param {number} place
 * @returns {[number, number, number]}
 */
export function colourAt(map, place) {
  const steps = COLOUR_STEPS[map];
  const last = steps.length / 6 - 1;
  const exact = Math.min(1, Math.max(0, place)) * last;
  const at = Math.min(last - 1, Math.floor(exact));
  const channel = (/** @type {number} */ step, /** @type {number} */ index) => parseInt(steps.substr(step * 6 + index * 2, 2), 16);
  const mixed = [0, 1, 2].map((index) => Math.round(channel(at, index) + (channel(at + 1, index) - channel(at, index)) * (exact - at)));
  return /** @type {[number, number, number]} */ (mixed);
}

/**
 * The colour of each nearness, in SIZE even parts.
 * @param {Look} look
 * @param {import("./depth.js").Depth} depth
 * @returns {Uint8Array} RGBA
 */
export function table(look, depth) {
  const place = look.contrast === "global" ? ranks(depth) : (/** @type {number} */ near) => near;
  // What clahe gives is between the ends already.
  const [from, to] = look.contrast === "clahe" ? [0, 1] : [place(look.far), place(look.near)];
  const colours = new Uint8Array(SIZE * 4);
  for (let each = 0; each < SIZE; each++) {
    let share = (place(each / (SIZE - 1)) - from) / Math.max(1e-6, to - from);
    share = Math.min(1, Math.max(0, share));
    colours.set([...colourAt(look.map, look.invert ? 1 - share : share), 255], each * 4);
  }
  return colours;
}

/**
 * What the table is read by: the nearness of each pixel, or what clahe makes of it, in 65,536 levels.
 * @param {Look} look
 * @param {import("./depth.js").Depth} depth
 */
export function tones(look, depth) {
  return look.contrast === "clahe" ? clahe(depth, look) : depth.levelsOfNearness();
}

/**
 * The share of the pixels that are farther than a nearness.
 * @param {import("./depth.js").Depth} depth
 */
function ranks(depth) {
  const below = new Float64Array(65537);
  for (let level = 0; level < 65536; level++) {
    below[level + 1] = below[level] + depth.counts[depth.isDistance ? 65535 - level : level];
  }
  const total = below[65536];
  return (/** @type {number} */ near) => below[Math.round(Math.min(1, Math.max(0, near)) * 65536)] / total;
}

/**
 * The whole map in colours, by the processor: for files, and where there is no WebGL.
 * @param {Look} look
 * @param {import("./depth.js").Depth} depth
 */
export function paint(look, depth) {
  const colours = new Uint32Array(table(look, depth).buffer);
  const picture = new ImageData(depth.width, depth.height);
  const pixels = new Uint32Array(picture.data.buffer);
  tones(look, depth).forEach((tone, at) => (pixels[at] = colours[Math.round((tone / 65535) * (SIZE - 1))]));
  return picture;
}
