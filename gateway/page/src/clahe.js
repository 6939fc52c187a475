/**
 * Contrast within each part of the picture, by its own histogram, and no steeper than a limit (Zuiderveld, Graphics
 * Gems IV, 1994): the contract's `equalize=clahe`, here with all levels kept.
 */

const BINS = 256;

/**
 * @param {import("./depth.js").Depth} depth
 * @param {{far: number, near: number, clip: number, tiles: number}} limits ends of the range; how many times the mean
 *   bin a bin may hold; parts along each side
 * @returns {Uint16Array} the toned nearness of each pixel
 */
export function clahe(depth, { far, near, clip, tiles }) {
  const { width, height } = depth;
  const levels = depth.levelsOfNearness();
  // Where each level is in the bins, with its place within one.
  const place = new Float32Array(65536);
  for (let level = 0; level < 65536; level++) {
    place[level] = Math.min(1, Math.max(0, (level / 65535 - far) / Math.max(1e-6, near - far))) * (BINS - 1e-3);
  }
  const [across, down] = [Math.min(tiles, width), Math.min(tiles, height)];
  const sums = new Float32Array(across * down * (BINS + 1));
  for (let row = 0; row < down; row++) {
    for (let column = 0; column < across; column++) {
      const [left, right] = [column, column + 1].map((each) => Math.floor((each * width) / across));
      const [top, bottom] = [row, row + 1].map((each) => Math.floor((each * height) / down));
      const counts = new Float32Array(BINS);
      for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) counts[place[levels[y * width + x]] | 0]++;
      sums.set(summed(counts, (right - left) * (bottom - top), clip), (row * across + column) * (BINS + 1));
    }
  }
  const toned = new Uint16Array(width * height);
  for (let y = 0; y < height; y++) {
    const [up, low, below] = between(((y + 0.5) * down) / height - 0.5, down);
    for (let x = 0; x < width; x++) {
      const [left, right, after] = between(((x + 0.5) * across) / width - 0.5, across);
      const exact = place[levels[y * width + x]];
      const bin = exact | 0;
      const at = (/** @type {number} */ row, /** @type {number} */ column) => {
        const start = (row * across + column) * (BINS + 1) + bin;
        return sums[start] + (sums[start + 1] - sums[start]) * (exact - bin);
      };
      const upper = at(up, left) + (at(up, right) - at(up, left)) * after;
      const lower = at(low, left) + (at(low, right) - at(low, left)) * after;
      toned[y * width + x] = (upper + (lower - upper) * below) * 65535;
    }
  }
  return toned;
}

/**
 * The share of a part's pixels below each bin, after its high bins are cut and what was cut is spread over all.
 * @param {Float32Array} counts
 * @param {number} pixels
 * @param {number} clip
 */
function summed(counts, pixels, clip) {
  const limit = (clip * pixels) / BINS;
  const over = counts.reduce((sum, count) => sum + Math.max(0, count - limit), 0);
  const sums = new Float32Array(BINS + 1);
  counts.forEach((count, bin) => (sums[bin + 1] = sums[bin] + (Math.min(count, limit) + over / BINS) / pixels));
  return sums.map((sum) => Math.min(1, sum));
}

/**
 * The two parts whose middles are around a place, and the share of the second.
 * @param {number} place
 * @param {number} parts
 */
function between(place, parts) {
  const first = Math.min(parts - 1, Math.max(0, Math.floor(place)));
  const second = Math.min(parts - 1, Math.max(0, Math.floor(place) + 1));
  return [first, second, place - Math.floor(place)];
}
