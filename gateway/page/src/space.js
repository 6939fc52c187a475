/**
 * The photo in space, as a pinhole camera saw it: x to the right, y up, the camera at the origin, looking along -z.
 */

/**
 * @typedef {object} Lens
 * @property {number} fov horizontal angle of view in degrees
 * @property {number} ratio how many times farther the farthest point is than the nearest: relative maps do not tell
 */

/** @typedef {[number, number, number]} Point */

/**
 * The distance along the camera's axis: metres for a metric network, else 1 for the nearest pixel.
 * @param {import("./depth.js").Depth} depth
 * @param {number} nearness 0 to 1
 * @param {number} ratio
 */
export function distance(depth, nearness, ratio) {
  if (depth.isDistance) return Math.max(1e-3, depth.low + (1 - nearness) * (depth.high - depth.low));
  // The networks' values are even in 1 / distance.
  return 1 / (1 / ratio + nearness * (1 - 1 / ratio));
}

/**
 * The point that a pixel shows.
 * @param {import("./depth.js").Depth} depth
 * @param {number} x in pixels of the map
 * @param {number} y
 * @param {number} nearness
 * @param {Lens} lens
 * @returns {Point}
 */
export function pointAt(depth, x, y, nearness, lens) {
  const z = distance(depth, nearness, lens.ratio);
  const scale = ((2 * Math.tan((lens.fov * Math.PI) / 360)) / depth.width) * z;
  return [(x - depth.width / 2) * scale, (depth.height / 2 - y) * scale, -z];
}

/**
 * How much farther than its neighbour a point may be, as a share of its distance, before it hangs between two surfaces.
 * A floor seen from so flat an angle falls off as fast, whatever the number of pixels: so the share goes with their size.
 * @param {{width: number}} depth
 * @param {number} step pixels between neighbours
 * @param {number} jump that share for a map of 640 pixels across
 */
export function steepest(depth, step, jump) {
  return (jump * step * 640) / depth.width;
}

/**
 * Whether a pixel lies on an edge, where its point would hang between two surfaces.
 * @param {import("./depth.js").Depth} depth
 * @param {number} x
 * @param {number} y
 * @param {number} step pixels between neighbours
 * @param {number} jump as for steepest
 * @param {number} ratio
 */
export function onEdge(depth, x, y, step, jump, ratio) {
  let [nearest, farthest] = [Infinity, 0];
  for (let dy = -step; dy <= step; dy += step) {
    for (let dx = -step; dx <= step; dx += step) {
      const z = distance(depth, depth.nearness(x + dx, y + dy), ratio);
      nearest = Math.min(nearest, z);
      farthest = Math.max(farthest, z);
    }
  }
  return farthest - nearest > steepest(depth, step, jump) * nearest;
}
