/** What the visitor asks of the network: the options of the contract that change the depth itself. */
import { box, element } from "./elements.js";
import { isWord, t } from "./language.js";

/**
 * The settings of each filter: name, least, most, step, default.
 * @type {Record<string, [string, number, number, number, number][]>}
 */
const SETTINGS = {
  guided: [["guided_radius", 1, 32, 1, 2], ["guided_eps", 0.000001, 1, 0.000001, 0.0001]],
  crf: [["crf_radius", 1, 64, 1, 8], ["crf_contrast", 0.5, 64, 0.5, 3]],
  median: [["median_size", 3, 5, 2, 3]],
  bilateral: [["bilateral_radius", 1, 8, 1, 3], ["bilateral_contrast", 0.001, 1, 0.001, 0.05]],
};

/** @type {import("./server.js").Model[]} */
let models = [];

/** @param {string} name */
function choice(name) {
  return /** @type {HTMLSelectElement} */ (element("options", HTMLFormElement).elements.namedItem(name));
}

/** The options of the contract; what is as the server has it by itself is left out. @returns {Record<string, string>} */
export function chosen() {
  const options = Object.fromEntries(["model", "resolution", "aspect", "filter"].map((name) => [name, choice(name).value]));
  for (const each of settings()) if (each.value !== each.defaultValue) options[each.name] = each.value;
  return options;
}

export function wantsWhole() {
  return choice("size").value === "whole";
}

/** Whether there is a photo to ask for. @param {boolean} can */
export function allow(can) {
  element("asked", HTMLFieldSetElement).disabled = !can;
}

/** @param {import("./server.js").Model[]} found */
export function offer(found) {
  models = found;
  const before = choice("model").value;
  choice("model").replaceChildren(...models.map(({ name }) => new Option(name, name)));
  if (models.some(({ name }) => name === before)) choice("model").value = before;
  offerSizes();
}

/** Sides on the model's grid, about half, as many and twice as many as its own; and the shapes that it takes. */
function offerSizes() {
  const model = models.find(({ name }) => name === choice("model").value);
  const before = choice("resolution").value;
  const own = new Option("", "");
  choice("resolution").replaceChildren(own);
  box("aspect").hidden = !model || model.aspects.length < 2;
  if (box("aspect").hidden) choice("aspect").value = "";
  if (!model) return;
  own.textContent = t("resolution_own", { side: model.resolution });
  for (const times of [0.5, 0.75, 1.5, 2, 3]) {
    const side = Math.round((model.resolution * times) / model.grid) * model.grid;
    if (model.resolutions?.includes(side) ?? (side >= 128 && side <= 1280)) choice("resolution").append(new Option(String(side), String(side)));
  }
  choice("resolution").value = before;
  if (choice("resolution").selectedIndex < 0) choice("resolution").value = "";
}

function settings() {
  return /** @type {NodeListOf<HTMLInputElement>} */ (box("settings").querySelectorAll("input"));
}

/** The fields of the chosen filter. */
function offerSettings() {
  const fields = (SETTINGS[choice("filter").value] ?? []).map(([name, min, max, step, value]) => {
    const label = document.createElement("label");
    const text = document.createElement("span");
    const word = `setting_${name}`;
    if (isWord(word)) Object.assign(text, { textContent: t(word) }).dataset.t = word;
    const field = document.createElement("input");
    for (const [key, each] of Object.entries({ type: "number", name, min, max, step, value, inputmode: "decimal" })) field.setAttribute(key, String(each));
    label.append(text, field);
    return label;
  });
  box("settings").replaceChildren(...fields);
  box("settings").hidden = fields.length === 0;
}

/** @param {() => void} onChange */
export function startOptions(onChange) {
  choice("model").addEventListener("change", offerSizes);
  choice("filter").addEventListener("change", offerSettings);
  document.addEventListener("language", offerSizes);
  element("options", HTMLFormElement).addEventListener("change", () => {
    if (element("options", HTMLFormElement).reportValidity()) onChange();
  });
}
