// Lengths between two pixels of a photo, with their uncertainty.
//
// Relative depth lacks a scale and a shift. One known length gives the scale. The shift, the lens and the exact places of
// the clicks stay unknown within bounds, so a length is computed for each bound in turn; the changes are added as squares,
// as for independent errors, and told as about 95 % limits.

import { pointAt } from "./depth.js";

/** Bounds of what the page cannot know. */
const RELIEF = 1.7; // the relief may be this factor larger or smaller
const VIEW = (10 * Math.PI) / 180; // so may the field of view, by this angle
const CLICK = 2; // so far a click is from where it should be, in pixels of a depth map 640 wide
const MODEL = 0.08; // error of a depth map itself, as a share; from what is published for networks of this kind

/**
 * @typedef {{x: number, y: number}} Pixel
 * @typedef {{from: Pixel, to: Pixel}} Segment
 * @typedef {import("./depth.js").Depth} Depth
 */

/**
 * @param {Depth} depth
 * @param {Segment} segment
 * @param {number} relief
 * @param {number} view
 */
function span(depth, segment, relief, view) {
  const a = pointAt(depth, segment.from, relief, view);
  const b = pointAt(depth, segment.to, relief, view);
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

/**
 * The length of a segment in metres, or null where nothing gives a scale.
 * @param {Depth} depth
 * @param {Segment} segment
 * @param {{segment: Segment, metres: number} | null} reference
 * @param {number} relief
 * @param {number} view field of view of the longer side, in radians
 * @returns {{metres: number, plusMinus: number, source: "reference" | "network"} | null}
 */
export function measured(depth, segment, reference, relief, view) {
  if (!reference && !depth.metric) return null;
  /** @param {Segment} what @param {Segment} known @param {number} r @param {number} v */
  const length = (what, known, r, v) =>
    reference ? (reference.metres * span(depth, what, r, v)) / span(depth, known, r, v) : span(depth, what, r, v);
  const known = reference ? reference.segment : segment;
  const metres = length(segment, known, relief, view);
  if (!Number.isFinite(metres)) return null;
  const changes = [metres * MODEL * (reference ? 1 : 2)];
  /** @param {number[]} others */
  const bound = (...others) => changes.push(Math.max(...others.map((other) => Math.abs(other - metres))));
  if (!depth.metric)
    bound(length(segment, known, Math.max(1.05, relief / RELIEF), view), length(segment, known, relief * RELIEF, view));
  bound(length(segment, known, relief, view - VIEW), length(segment, known, relief, view + VIEW));
  for (const moved of nudged(segment, depth)) bound(length(moved, known, relief, view));
  if (reference) for (const moved of nudged(known, depth)) bound(length(segment, moved, relief, view));
  const plusMinus = Math.hypot(...changes.filter(Number.isFinite));
  return { metres, plusMinus, source: reference ? "reference" : "network" };
}

/**
 * The segment with each end a little longer or shorter along itself.
 * @param {Segment} segment
 * @param {Depth} depth
 * @returns {Segment[]}
 */
function nudged({ from, to }, depth) {
  const length = Math.hypot(to.x - from.x, to.y - from.y) || 1;
  const step = (CLICK * Math.max(depth.width, depth.height)) / 640;
  const [dx, dy] = [((to.x - from.x) / length) * step, ((to.y - from.y) / length) * step];
  return [
    { from: { x: from.x - dx, y: from.y - dy }, to },
    { from, to: { x: to.x + dx, y: to.y + dy } },
  ];
}

/**
 * A length and its uncertainty as people write them: the uncertainty with one digit (two where it begins with 1), the
 * length to the same place.
 * @param {number} metres
 * @param {number} plusMinus
 */
export function written(metres, plusMinus) {
  const place = Math.floor(Math.log10(plusMinus));
  const digits = Math.min(3, Math.max(0, -(plusMinus / 10 ** place < 2 ? place - 1 : place)));
  return `${metres.toFixed(digits)} ± ${Math.max(plusMinus, 10 ** -digits).toFixed(digits)} m`;
}
