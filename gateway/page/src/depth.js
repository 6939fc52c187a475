/**
 * A depth map as the page keeps it: 16 bits, and the range that they stand for.
 */
import { readPng16 } from "./png16.js";

/**
 * @typedef {object} Info what the server says of a result
 * @property {string} variant
 * @property {string} weights
 * @property {[number, number]} range
 * @property {string} [kind]
 * @property {string | null} [unit]
 * @property {{width: number, height: number}} [network]
 * @property {Record<string, number>} [milliseconds]
 */

export class Depth {
  /**
   * @param {import("./png16.js").Grey16} grey
   * @param {Info} info
   */
  constructor({ width, height, values }, info) {
    this.width = width;
    this.height = height;
    this.values = values;
    this.info = info;
    this.low = info.range[0];
    this.high = info.range[1];
    /** Whether the values are distances; otherwise larger is nearer. */
    this.isDistance = info.kind !== undefined && info.kind.startsWith("metric");
    /** How often each of the 65,536 levels comes. */
    this.counts = new Uint32Array(65536);
    for (const each of values) this.counts[each]++;
    this.levels = this.counts.reduce((sum, each) => sum + (each ? 1 : 0), 0);
  }

  /**
   * @param {ArrayBuffer} file a PNG of 16 bits
   * @param {Info} info
   */
  static async read(file, info) {
    return new Depth(await readPng16(file), info);
  }

  /** How near each pixel is, from 0 to 65,535. */
  levelsOfNearness() {
    return this.isDistance ? this.values.map((each) => 65535 - each) : this.values;
  }

  /**
   * The same map with some of its rows and columns left out, so that no side is longer than a limit.
   * @param {number} limit
   */
  within(limit) {
    const step = Math.ceil(Math.max(this.width, this.height) / limit);
    if (step <= 1) return this;
    const [width, height] = [this.width, this.height].map((side) => Math.max(1, Math.floor(side / step)));
    const values = new Uint16Array(width * height);
    for (let at = 0; at < values.length; at++) values[at] = this.values[Math.floor(at / width) * step * this.width + (at % width) * step];
    return new Depth({ width, height, values }, this.info);
  }

  /**
   * How near a pixel is, from 0 (the farthest of the map) to 1.
   * @param {number} x
   * @param {number} y
   */
  nearness(x, y) {
    const column = Math.min(this.width - 1, Math.max(0, Math.floor(x)));
    const row = Math.min(this.height - 1, Math.max(0, Math.floor(y)));
    const share = this.values[row * this.width + column] / 65535;
    return this.isDistance ? 1 - share : share;
  }

  /**
   * The value that the network gave for a pixel.
   * @param {number} x
   * @param {number} y
   */
  value(x, y) {
    const near = this.nearness(x, y);
    return this.low + (this.isDistance ? 1 - near : near) * (this.high - this.low);
  }

  /**
   * The middle of the values around a pixel, which a single wrong one cannot change.
   * @param {number} x
   * @param {number} y
   */
  steadyNearness(x, y) {
    const around = [];
    for (let dy = -2; dy <= 2; dy++) for (let dx = -2; dx <= 2; dx++) around.push(this.nearness(x + dx, y + dy));
    return around.sort((a, b) => a - b)[12];
  }
}
