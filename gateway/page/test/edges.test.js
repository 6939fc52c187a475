/** Whether the 3-D view shows curtains: points in free space, between what is near and what is far. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { Depth } from "../src/depth.js";
import { readPng16 } from "../src/png16.js";
import { onEdge, pointAt } from "../src/space.js";

const RENDERS = new URL("../../../tests/accuracy/renders/", import.meta.url);
/** What a network of 256 pixels sees of a photo of 640. */
const SEEN = 0.4;
const JUMP = 0.04;
const info = /** @type {const} */ ({ variant: "", weights: "", range: [0, 1] });

/**
 * The depth as a perfect network gives it, made larger again as the server does it.
 * @param {Depth} exact
 */
function seen(exact) {
  const { width, height } = exact;
  const [w, h] = [width, height].map((side) => Math.round(side * SEEN));
  const sums = new Float64Array(w * h);
  const counts = new Float64Array(w * h);
  exact.values.forEach((value, at) => {
    const to = Math.floor((Math.floor(at / width) * h) / height) * w + Math.floor(((at % width) * w) / width);
    sums[to] += value;
    counts[to]++;
  });
  const small = (/** @type {number} */ x, /** @type {number} */ y) => {
    const at = Math.min(h - 1, Math.max(0, y)) * w + Math.min(w - 1, Math.max(0, x));
    return sums[at] / counts[at];
  };
  const values = exact.values.map((_, at) => {
    const [x, y] = [(((at % width) + 0.5) * w) / width - 0.5, ((Math.floor(at / width) + 0.5) * h) / height - 0.5];
    const [left, top] = [Math.floor(x), Math.floor(y)];
    const mix = (/** @type {number} */ a, /** @type {number} */ b, /** @type {number} */ share) => a + (b - a) * share;
    return mix(mix(small(left, top), small(left + 1, top), x - left), mix(small(left, top + 1), small(left + 1, top + 1), x - left), y - top);
  });
  return new Depth({ width, height, values }, info);
}

test("at most 2 % of the shown points hang in free space, and most points are shown", async (context) => {
  let [all, shown, hanging] = [0, 0, 0];
  for (const folder of readdirSync(RENDERS)) {
    for (const name of readdirSync(new URL(`${folder}/`, RENDERS)).filter((each) => each.endsWith(".png"))) {
      const file = readFileSync(new URL(`${folder}/${name}`, RENDERS));
      const exact = new Depth(await readPng16(file.buffer.slice(file.byteOffset, file.byteOffset + file.length)), info);
      const depth = seen(exact);
      // A value of 0 would be endlessly far: the sky ends at 50 times the nearest.
      const lens = { fov: 60, ratio: 50 };
      const point = (/** @type {Depth} */ map, /** @type {number} */ x, /** @type {number} */ y) => pointAt(map, x + 0.5, y + 0.5, map.nearness(x, y), lens);
      for (let y = 6; y < depth.height - 6; y += 2) {
        for (let x = 6; x < depth.width - 6; x += 2) {
          all++;
          if (onEdge(depth, x, y, 1, JUMP, lens.ratio)) continue;
          shown++;
          const at = point(depth, x, y);
          // 5 cm at 2.5 m.
          const free = 0.02 * -at[2];
          let away = Infinity;
          for (let dy = -5; dy <= 5 && away > free; dy++) {
            for (let dx = -5; dx <= 5; dx++) {
              const other = point(exact, x + dx, y + dy);
              away = Math.min(away, Math.hypot(at[0] - other[0], at[1] - other[1], at[2] - other[2]));
            }
          }
          if (away > free) hanging++;
        }
      }
    }
  }
  context.diagnostic(`shown ${((100 * shown) / all).toFixed(1)} %, of these in free space ${((100 * hanging) / shown).toFixed(2)} %`);
  assert.ok(hanging <= 0.02 * shown);
  assert.ok(shown >= 0.8 * all);
});
