/** The ways in which a photo comes: dropped, pasted, chosen, taken, or one of the samples. */
import { box, button, input } from "./elements.js";
import { isWord, t } from "./language.js";

export const SAMPLES = ["room", "coffee", "cat", "astronaut", "rocket"];

/**
 * @param {(file: Blob, name: string, sample: string) => void} onPhoto
 */
export function startIntake(onPhoto) {
  for (const [opener, field] of [["choose", "file"], ["camera", "shot"], ["other", "file"]]) {
    button(opener).addEventListener("click", () => input(field).click());
  }
  for (const field of [input("file"), input("shot")]) {
    field.addEventListener("change", () => {
      const file = field.files?.[0];
      if (file) onPhoto(file, file.name, "");
      // The same file again is a choice, too.
      field.value = "";
    });
  }
  document.addEventListener("paste", (event) => {
    const file = event.clipboardData?.files[0];
    if (file) onPhoto(file, file.name, "");
  });
  startDrop(onPhoto);
  for (const name of SAMPLES) box("samples").append(sampleButton(name, onPhoto));
}

/** @param {(file: Blob, name: string, sample: string) => void} onPhoto */
function startDrop(onPhoto) {
  let inside = 0;
  const show = () => {
    box("stage").classList.toggle("over", inside > 0);
    box("call").textContent = t(inside > 0 ? "drop_now" : "drop");
  };
  // Anywhere on the page: who misses the frame would otherwise leave it.
  document.addEventListener("dragenter", () => (inside++, show()));
  document.addEventListener("dragleave", () => (inside--, show()));
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    inside = 0;
    show();
    const file = event.dataTransfer?.files[0];
    if (file) onPhoto(file, file.name, "");
  });
}

/** @param {string} name */
export async function sample(name) {
  return (await fetch(`samples/${name}.webp`)).blob();
}

/**
 * @param {string} name
 * @param {(file: Blob, name: string, sample: string) => void} onPhoto
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
  button.addEventListener("click", async () => onPhoto(await sample(name), name, name));
  return button;
}
