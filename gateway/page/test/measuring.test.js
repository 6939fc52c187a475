/** Whether the ± of a length keeps its word, on renders with exact depth (tests/gateway/page/clicks.py makes the clicks). */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { measure } from "../src/measuring.js";

const { width, height, scenes } = JSON.parse(readFileSync(new URL("../../../tests/gateway/page/clicks.json", import.meta.url), "utf8"));
const lens = { fov: 60, ratio: 6 };

/** @param {any} known @param {any} wanted */
function measured(known, wanted) {
  const [line, reference] = [wanted, known].map(([, from, to]) => ({ from: { x: from[0], y: from[1] }, to: { x: to[0], y: to[1] } }));
  const near = new Map([...known.slice(1), ...wanted.slice(1)].map(([x, y, nearness]) => [`${x} ${y}`, nearness]));
  const depth = /** @type {any} */ ({ width, height, isDistance: false, steadyNearness: (/** @type {number} */ x, /** @type {number} */ y) => near.get(`${x} ${y}`) });
  const length = measure(depth, lens, line, { line: reference, metres: known[0] });
  assert.ok(length);
  return length;
}

test("2 of 3 true lengths are within the ± and 9 of 10 between the ends, in each half of the scenes", (context) => {
  const shares = [0, 1].map((odd) => {
    const pairs = scenes.filter((/** @type {any} */ _, /** @type {number} */ at) => at % 2 === odd).flat();
    const found = pairs.map((/** @type {any} */ [known, wanted]) => ({ length: measured(known, wanted), truth: wanted[0] }));
    const share = (/** @type {(each: any) => boolean} */ holds) => found.filter(holds).length / found.length;
    const within = share(({ length, truth }) => truth >= length.low && truth <= length.high);
    const plusMinus = share(({ length, truth }) => Math.abs(truth - length.metres) <= length.error);
    const widths = found.map(({ length }) => length.error / length.metres).sort((a, b) => a - b);
    context.diagnostic(`${odd ? "odd" : "even"}: ${found.length} pairs, ends ${within.toFixed(3)}, ± ${plusMinus.toFixed(3)}, median ± ${widths[widths.length >> 1].toFixed(2)}`);
    return { within, plusMinus };
  });
  for (const { within, plusMinus } of shares) {
    assert.ok(within > 0.83 && within < 0.97, String(within));
    assert.ok(plusMinus > 0.6 && plusMinus < 0.76, String(plusMinus));
  }
});

test("a line over the known one is as long as that one", () => {
  const [known] = scenes[0][0];
  const { metres, error } = measured(known, known);
  assert.ok(Math.abs(metres - known[0]) <= 2 * error);
});
