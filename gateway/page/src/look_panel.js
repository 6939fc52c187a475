/** The choices of colour: the map, the ends of the range over a histogram, inversion, equalisation, contour lines. */
import { MAPS, colourAt, table } from "./colours.js";
import { box, canvas, input } from "./elements.js";

/** @type {import("./colours.js").Look} */
export const look = { map: "inferno", far: 0, near: 1, contrast: "none", clip: 2, tiles: 8, invert: false, contours: false };

const SWITCHES = /** @type {const} */ (["invert", "contours"]);
const LIMITS = /** @type {const} */ (["clip", "tiles"]);

/** @type {() => void} */
let changed = () => {};

/** @param {() => void} onChange */
export function startLook(onChange) {
  changed = onChange;
  for (const map of MAPS) box("maps").append(swatch(map));
  for (const end of /** @type {const} */ (["far", "near"])) {
    input(end).addEventListener("input", () => {
      look[end] = Number(input(end).value) / 100;
      // The ends never pass each other.
      if (look.near - look.far < 0.01) look[end] = end === "far" ? look.near - 0.01 : look.far + 0.01;
      input(end).value = String(look[end] * 100);
      changed();
    });
  }
  for (const each of contrasts()) {
    each.addEventListener("change", () => setContrast(/** @type {import("./colours.js").Look["contrast"]} */ (each.value)));
  }
  for (const limit of LIMITS) {
    input(limit).addEventListener("input", () => {
      look[limit] = Number(input(limit).value);
      setContrast(look.contrast);
    });
  }
  for (const choice of SWITCHES) {
    input(choice).addEventListener("change", () => {
      look[choice] = input(choice).checked;
      changed();
    });
  }
}

/** @param {Partial<import("./colours.js").Look>} given */
export function setLook(given) {
  Object.assign(look, given);
  for (const each of contrasts()) each.checked = each.value === look.contrast;
  for (const limit of LIMITS) input(limit).value = String(look[limit]);
  setContrast(look.contrast);
  for (const choice of SWITCHES) input(choice).checked = look[choice];
  for (const end of /** @type {const} */ (["far", "near"])) input(end).value = String(look[end] * 100);
  for (const each of /** @type {NodeListOf<HTMLInputElement>} */ (box("maps").querySelectorAll("input"))) {
    each.checked = each.value === look.map;
  }
}

function contrasts() {
  return /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("input[name=contrast]"));
}

/** @param {import("./colours.js").Look["contrast"]} contrast */
function setContrast(contrast) {
  look.contrast = contrast;
  box("clahe").hidden = contrast !== "clahe";
  for (const limit of LIMITS) box(`${limit}-value`).textContent = String(look[limit]);
  changed();
}

/** @param {string} map */
function swatch(map) {
  const label = document.createElement("label");
  const choice = Object.assign(document.createElement("input"), { type: "radio", name: "map", value: map, checked: map === look.map });
  choice.addEventListener("change", () => {
    look.map = map;
    changed();
  });
  const strip = Object.assign(document.createElement("canvas"), { width: 64, height: 1 });
  const context = strip.getContext("2d");
  for (let x = 0; context && x < 64; x++) {
    context.fillStyle = `rgb(${colourAt(map, x / 63).join(" ")})`;
    context.fillRect(x, 0, 1, 1);
  }
  const name = document.createElement("span");
  name.textContent = map.replace("_r", "");
  label.append(choice, strip, name);
  return label;
}

/**
 * How many pixels have each nearness, in the colours that they get.
 * @param {import("./depth.js").Depth} depth
 */
export function drawHistogram(depth) {
  const { width, height } = canvas("histogram");
  const context = canvas("histogram").getContext("2d");
  if (!context) return;
  const bins = new Float64Array(width / 4);
  depth.counts.forEach((count, level) => {
    const near = (depth.isDistance ? 65535 - level : level) / 65536;
    bins[Math.floor(near * bins.length)] += count;
  });
  const most = Math.max(...bins) || 1;
  const colours = table(look, depth);
  context.clearRect(0, 0, width, height);
  bins.forEach((count, bin) => {
    const at = Math.floor(((bin + 0.5) / bins.length) * (colours.length / 4)) * 4;
    context.fillStyle = `rgb(${colours[at]} ${colours[at + 1]} ${colours[at + 2]})`;
    const tall = 8 + Math.sqrt(count / most) * (height - 8);
    context.fillRect(bin * 4, height - tall, 4, tall);
  });
  for (const end of /** @type {const} */ (["far", "near"])) {
    const value = depth.isDistance ? depth.high - look[end] * (depth.high - depth.low) : depth.low + look[end] * (depth.high - depth.low);
    box(`${end}-value`).textContent = `${value.toPrecision(3)}${depth.isDistance ? " m" : ""}`;
  }
}
