/** Failures, in words. */
import { box, button, element } from "./elements.js";
import { isWord, t } from "./language.js";
import { Failure } from "./failure.js";

/** @type {{failure: Failure, again: (() => void) | null} | null} */
let shown = null;

/**
 * @param {unknown} error
 * @param {(() => void) | null} again what to try
 */
export function tell(error, again) {
  shown = { failure: error instanceof Failure ? error : new Failure("error", String(error)), again };
  write();
  box("trouble").scrollIntoView?.({ block: "nearest" });
}

export function calm() {
  shown = null;
  box("trouble").hidden = true;
}

function write() {
  if (!shown) return;
  const { code, message, wait } = shown.failure;
  const heic = code === "not_a_photo" && /heic|heif/i.test(message);
  const word = `error_${heic ? "heic" : code}`;
  const needsKey = code === "key_missing" || code === "key_refused";
  box("trouble-text").textContent = needsKey ? t("key_needed") : t(isWord(word) ? word : "error_error", { wait });
  box("trouble-server").textContent = message ? t("server_says", { message }) : "";
  element("key-form", HTMLFormElement).hidden = !needsKey;
  button("try-again").hidden = !shown.again || needsKey;
  box("trouble").hidden = false;
}

/** @param {(key: string) => void} onKey */
export function startTrouble(onKey) {
  button("trouble-close").addEventListener("click", calm);
  button("try-again").addEventListener("click", () => {
    const again = shown?.again;
    calm();
    again?.();
  });
  element("key-form", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    const again = shown?.again;
    onKey(/** @type {HTMLInputElement} */ (document.getElementById("key")).value);
    calm();
    again?.();
  });
  document.addEventListener("language", write);
}
