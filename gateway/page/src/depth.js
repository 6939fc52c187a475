// A depth map as the page holds it: 16-bit values, near is large, and what they mean.

/**
 * @typedef {object} Depth
 * @property {number} width
 * @property {number} height
 * @property {Uint16Array} values row by row; larger is nearer, whatever the network gives
 * @property {number} low what value 0 stands for
 * @property {number} high what value 65535 stands for
 * @property {boolean} metric low and high are metres
 * @property {number} levels how many different values there are
 */

/**
 * @param {{width: number, height: number, values: Uint16Array}} picture
 * @param {[number, number]} range of the values 0 and 65535
 * @param {boolean} metric
 * @returns {Depth}
 */
export function depthFrom(picture, range, metric) {
  const { width, height, values } = picture;
  let [low, high] = range;
  if (metric) {
    // Metres grow with distance. Turned round once here, near is large everywhere else.
    for (let at = 0; at < values.length; at++) values[at] = 65535 - values[at];
    [low, high] = [high, low];
  }
  return { width, height, values, low, high, metric, levels: new Set(values).size };
}

/**
 * The network's own value of a pixel: inverse depth without a unit, or metres.
 * @param {Depth} depth
 * @param {number} x
 * @param {number} y
 */
export function valueAt(depth, x, y) {
  const column = Math.min(depth.width - 1, Math.max(0, Math.floor(x)));
  const row = Math.min(depth.height - 1, Math.max(0, Math.floor(y)));
  return depth.low + (depth.values[row * depth.width + column] / 65535) * (depth.high - depth.low);
}

/**
 * How far a pixel is. With metric depth in metres. With relative depth in a unit of its own, where the farthest pixel is
 * at 1 and the nearest at 1 / relief: the scale and the shift of inverse depth are not known, and `relief` stands for the
 * shift.
 * @param {Depth} depth
 * @param {number} x
 * @param {number} y
 * @param {number} relief
 */
export function distanceAt(depth, x, y, relief) {
  const column = Math.min(depth.width - 1, Math.max(0, Math.floor(x)));
  const row = Math.min(depth.height - 1, Math.max(0, Math.floor(y)));
  return distanceOf(depth, depth.values[row * depth.width + column], relief);
}

/**
 * How far a value of the map is, see `distanceAt`.
 * @param {Depth} depth
 * @param {number} value 0..65535
 * @param {number} relief
 */
export function distanceOf(depth, value, relief) {
  if (depth.metric) return Math.max(depth.low + (value / 65535) * (depth.high - depth.low), 1e-3);
  return 1 / (1 + (value / 65535) * (relief - 1));
}

/**
 * The point of a pixel in the camera's frame: x to the right, y down, z forward.
 * @param {Depth} depth
 * @param {{x: number, y: number}} pixel
 * @param {number} relief
 * @param {number} view field of view of the longer side, in radians
 * @returns {[number, number, number]}
 */
export function pointAt(depth, pixel, relief, view) {
  const focal = Math.max(depth.width, depth.height) / 2 / Math.tan(view / 2);
  const z = distanceAt(depth, pixel.x, pixel.y, relief);
  return [((pixel.x - depth.width / 2) / focal) * z, ((pixel.y - depth.height / 2) / focal) * z, z];
}
