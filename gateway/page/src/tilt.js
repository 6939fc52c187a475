/** Parallax by tilting the phone. */
import { button } from "./elements.js";
import { say } from "./language.js";

/** @param {import("./stage.js").Stage} stage */
export function startTilt(stage) {
  if (!("DeviceOrientationEvent" in window) || !matchMedia("(pointer: coarse)").matches) return;
  button("tilt").hidden = false;
  button("tilt").addEventListener("click", async () => {
    const kind = /** @type {{requestPermission?: () => Promise<string>}} */ (/** @type {unknown} */ (DeviceOrientationEvent));
    // Only iPhones ask.
    const answer = await (kind.requestPermission?.() ?? "granted");
    if (answer !== "granted") {
      say("parallax-note", "tilt_refused");
      return;
    }
    /** How the phone is held is the middle. @type {{beta: number, gamma: number} | null} */
    let first = null;
    addEventListener("deviceorientation", ({ beta, gamma }) => {
      if (beta === null || gamma === null || stage.view !== "parallax") return;
      first ??= { beta, gamma };
      stage.look((gamma - first.gamma) / 20, (beta - first.beta) / 20);
    });
    button("tilt").disabled = true;
    say("tilt", "tilt_on");
  });
}
