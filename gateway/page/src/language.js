/**
 * The words of the page, in the visitor's language.
 */
import { box } from "./elements.js";
import en from "./words/en.js";
import zh from "./words/zh.js";

/** @typedef {keyof typeof en} Word */

/** @type {Record<string, Record<Word, string>>} */
const LANGUAGES = { en, zh };
const KEPT = "language";

let current = localStorage.getItem(KEPT) ?? (navigator.language.startsWith("zh") ? "zh" : "en");

/**
 * @param {Word} word
 * @param {Record<string, string | number>} [values] for the names in braces
 */
export function t(word, values = {}) {
  return LANGUAGES[current][word].replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/** @param {number} number */
export function counted(number) {
  return number.toLocaleString(current);
}

/** Whether a text is a word of the page. @param {string} text @returns {text is Word} */
export function isWord(text) {
  return text in en;
}

/**
 * Writes a text that changes with the language.
 * @param {string} id of the element
 * @param {Word} word
 * @param {Record<string, string | number>} [values]
 */
export function say(id, word, values = {}) {
  const where = box(id);
  Object.assign(where.dataset, { t: word, tValues: JSON.stringify(values) });
  where.textContent = t(word, values);
}

/** Writes all that the document says: data-t is an element's text, data-t-label its label for those who cannot see it. */
export function write() {
  document.documentElement.lang = current === "zh" ? "zh-Hans" : "en";
  document.title = t("title");
  for (const each of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-t], [data-t-label]"))) {
    const { t: text, tLabel: label, tValues: values } = each.dataset;
    if (text && isWord(text)) each.textContent = t(text, JSON.parse(values ?? "{}"));
    if (label && isWord(label)) each.setAttribute("aria-label", t(label));
  }
}

/** The other language from here on. */
export function switchLanguage() {
  current = current === "en" ? "zh" : "en";
  localStorage.setItem(KEPT, current);
  write();
  document.dispatchEvent(new Event("language"));
}
