/** What the visitor asks of the network. */
import { element } from "./elements.js";
import { t } from "./language.js";

/** @type {import("./server.js").Model[]} */
let models = [];

/** @param {string} name */
function choice(name) {
  return /** @type {HTMLSelectElement} */ (element("options", HTMLFormElement).elements.namedItem(name));
}

/** The options of the contract. @returns {Record<string, string>} */
export function chosen() {
  return Object.fromEntries(["model", "resolution", "filter"].map((name) => [name, choice(name).value]));
}

export function wantsWhole() {
  return choice("size").value === "whole";
}

/** @param {import("./server.js").Model[]} found */
export function offer(found) {
  models = found;
  const before = choice("model").value;
  choice("model").replaceChildren(...models.map(({ name }) => new Option(name, name)));
  if (models.some(({ name }) => name === before)) choice("model").value = before;
  offerResolutions();
}

/** Sides on the model's grid, about half, as many and twice as many as its own. */
function offerResolutions() {
  const model = models.find(({ name }) => name === choice("model").value);
  const before = choice("resolution").value;
  const own = new Option("", "");
  choice("resolution").replaceChildren(own);
  if (!model) return;
  own.textContent = t("resolution_own", { side: model.resolution });
  for (const times of [0.5, 0.75, 1.5, 2, 3]) {
    const side = Math.round((model.resolution * times) / model.grid) * model.grid;
    if (side >= 128 && side <= 1280) choice("resolution").append(new Option(String(side), String(side)));
  }
  choice("resolution").value = before;
  if (choice("resolution").selectedIndex < 0) choice("resolution").value = "";
}

/** @param {() => void} onChange */
export function startOptions(onChange) {
  choice("model").addEventListener("change", offerResolutions);
  document.addEventListener("language", offerResolutions);
  for (const name of ["model", "resolution", "filter", "size"]) choice(name).addEventListener("change", onChange);
}
