/** Light or dark: as the system has it, until the visitor says otherwise. */
import { button } from "./elements.js";
import { t } from "./language.js";

const KEPT = "theme";
const root = document.documentElement;

function isDark() {
  return root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function label() {
  button("theme").textContent = t(isDark() ? "theme_light" : "theme_dark");
}

export function startTheme() {
  const kept = localStorage.getItem(KEPT);
  if (kept) root.dataset.theme = kept;
  button("theme").addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    localStorage.setItem(KEPT, root.dataset.theme);
    label();
    document.dispatchEvent(new Event("theme"));
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", label);
  document.addEventListener("language", label);
  label();
}
