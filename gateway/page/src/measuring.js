/**
 * Lengths between two points of a photo, from one length that is known, with their uncertainty.
 *
 * A relative map fixes neither the size of the scene nor how many times farther its end is, and a photo does not tell
 * its angle of view. So each length is worked out many times, with all of these drawn at random, and the spread is shown.
 */
import { pointAt } from "./space.js";

/** @typedef {{x: number, y: number}} Pixel */
/** @typedef {{from: Pixel, to: Pixel}} Line */
/**
 * @typedef {object} Length
 * @property {number} metres the middle of the draws
 * @property {number} error 2 of 3 draws are within metres ± error
 * @property {number} low 5 of 100 draws are below
 * @property {number} high 5 of 100 draws are above
 */

const DRAWS = 600;

/**
 * What is assumed of a photo that says nothing: standard deviations of what is drawn. They were set by hand, until of
 * the true lengths on renders 2 of 3 were within the ± and 9 of 10 between the ends (test/measuring.test.js counts).
 */
export const ASSUMED = {
  /** degrees of the angle of view */
  fov: 10,
  /** of the logarithm of the farthest distance over the nearest, less 1 */
  ratio: 1,
  /** share of the map's range by which a whole line is nearer or farther than the network says */
  line: 0.1,
  /** the same, for each of its ends */
  end: 0.06,
  /** share of the map's width, for each click */
  click: 0.002,
  /** share of the known length */
  known: 0.01,
  /** share of all lengths of a metric network */
  metric: 0.15,
};

/**
 * The length of a line in metres, or null where nothing says how long a metre is.
 * @param {import("./depth.js").Depth} depth
 * @param {import("./space.js").Lens} lens
 * @param {Line} line
 * @param {{line: Line, metres: number} | null} reference a line whose length is known
 * @returns {Length | null}
 */
export function measure(depth, lens, line, reference) {
  if (!reference && !depth.isDistance) return null;
  // The same draws for the same line: a number that changes by itself would not be believed.
  const normal = draws(7);
  const ends = [line.from, line.to, ...(reference ? [reference.line.from, reference.line.to] : [])];
  const nearness = ends.map((end) => depth.steadyNearness(end.x, end.y));
  /** @type {number[]} */
  const found = [];
  for (let draw = 0; draw < DRAWS; draw++) {
    const drawn = {
      fov: Math.min(120, Math.max(20, lens.fov + ASSUMED.fov * normal())),
      ratio: 1 + (lens.ratio - 1) * Math.exp(ASSUMED.ratio * normal()),
    };
    const shifts = [ASSUMED.line * normal(), ASSUMED.line * normal()];
    const points = ends.map((end, at) => {
      const blur = ASSUMED.click * depth.width;
      const near = Math.min(1, Math.max(0, nearness[at] + shifts[at >> 1] + ASSUMED.end * normal()));
      return pointAt(depth, end.x + blur * normal(), end.y + blur * normal(), near, drawn);
    });
    const length = apart(points[0], points[1]);
    if (reference) {
      found.push((length / apart(points[2], points[3])) * reference.metres * (1 + ASSUMED.known * normal()));
    } else found.push(length * Math.exp(ASSUMED.metric * normal()));
  }
  found.sort((a, b) => a - b);
  const at = (/** @type {number} */ share, numbers = found) => numbers[Math.floor(share * (DRAWS - 1))];
  const metres = at(0.5);
  const away = found.map((each) => Math.abs(each - metres)).sort((a, b) => a - b);
  return { metres, error: at(2 / 3, away), low: at(0.05), high: at(0.95) };
}

/**
 * @param {import("./space.js").Point} a
 * @param {import("./space.js").Point} b
 */
function apart(a, b) {
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

/**
 * Numbers of the normal distribution, the same for the same seed.
 * @param {number} seed
 */
function draws(seed) {
  const even = () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  return () => Math.sqrt(-2 * Math.log(1 - even())) * Math.cos(2 * Math.PI * even());
}
