/** The ways in which a photo comes: dropped, pasted, chosen, taken, or one of the samples. */
import { box, button, input } from "./elements.js";
import { Failure } from "./failure.js";
import { isWord, say } from "./language.js";

export const SAMPLES = ["room", "coffee", "cat", "astronaut", "rocket"];

/** @typedef {(given: import("./main.js").Source) => void} OnPhoto */

/**
 * @param {OnPhoto} onPhoto
 * @param {(error: Failure) => void} onFailure
 */
export function startIntake(onPhoto, onFailure) {
  for (const [opener, field] of [["choose", "file"], ["camera", "shot"], ["other", "file"]]) {
    button(opener).addEventListener("click", () => input(field).click());
  }
  for (const field of [input("file"), input("shot")]) {
    field.addEventListener("change", () => {
      const file = field.files?.[0];
      if (file) onPhoto(chosen(file));
      // The same file again is a choice, too.
      field.value = "";
    });
  }
  document.addEventListener("paste", (event) => {
    const file = event.clipboardData?.files[0];
    if (file) onPhoto(chosen(file));
  });
  startDrop(onPhoto, onFailure);
  for (const name of SAMPLES) box("samples").append(sampleButton(name, onPhoto));
}

/**
 * @param {OnPhoto} onPhoto
 * @param {(error: Failure) => void} onFailure
 */
function startDrop(onPhoto, onFailure) {
  let inside = 0;
  const byFinger = matchMedia("(pointer: coarse)").matches;
  const show = () => {
    box("stage").classList.toggle("over", inside > 0);
    say("call", inside > 0 ? "drop_now" : byFinger ? "give" : "drop");
  };
  show();
  // Anywhere on the page: who misses the frame would otherwise leave it.
  document.addEventListener("dragenter", () => (inside++, show()));
  document.addEventListener("dragleave", () => (inside--, show()));
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    inside = 0;
    show();
    const file = event.dataTransfer?.files[0];
    if (file) onPhoto(chosen(file));
    // A picture of another web page comes as a link.
    else onFailure(new Failure("no_file"));
  });
}

/**
 * @param {File} file
 * @returns {import("./main.js").Source}
 */
const chosen = (file) => ({ load: async () => file, name: file.name, sample: "" });

/**
 * @param {string} name
 * @returns {import("./main.js").Source}
 */
export function sample(name) {
  const load = async () => {
    const response = await fetch(`samples/${name}.webp`).catch(() => null);
    if (!response?.ok) throw new Failure(response ? "not_found" : "unreachable");
    return response.blob();
  };
  return { load, name, sample: name };
}

/**
 * @param {string} name
 * @param {OnPhoto} onPhoto
 */
function sampleButton(name, onPhoto) {
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.sample = name;
  const word = `sample_${name}`;
  if (isWord(word)) button.dataset.tLabel = word;
  const picture = document.createElement("img");
  picture.src = `samples/${name}.webp`;
  picture.alt = "";
  button.append(picture);
  button.addEventListener("click", () => onPhoto(sample(name)));
  return button;
}
