/** The sliders of the 3-D view and of the parallax. */
import { box, button, input } from "./elements.js";

/**
 * @param {import("./stage.js").Stage} stage
 * @param {() => void} onLens after a change of what lengths depend on
 */
export function startSpace(stage, onLens) {
  /** @param {string} id @param {(value: number) => string} set applies the value, and gives it in words */
  const slide = (id, set) => {
    const apply = () => {
      const words = set(Number(input(id).value));
      box(`${id}-value`).textContent = words;
      input(id).setAttribute("aria-valuetext", words);
      stage.draw();
    };
    input(id).addEventListener("input", apply);
    apply();
  };
  slide("ratio", (value) => ((stage.lens.ratio = value), onLens(), `× ${value}`));
  slide("fov", (value) => ((stage.lens.fov = value), onLens(), `${value}°`));
  slide("jump", (value) => ((stage.jump = value / 100), `${value} %`));
  slide("strength", (value) => ((stage.strength = value / 100), `${value} %`));
  input("painted").addEventListener("change", () => ((stage.painted = input("painted").checked), stage.draw()));
  button("reset").addEventListener("click", () => stage.resetCamera());
}
