/** Measuring by clicks: the lines over the photo, and the list of their lengths. */
import { box, button, element, input } from "./elements.js";
import { t } from "./language.js";
import { measure } from "./measuring.js";

/** @typedef {import("./measuring.js").Line} Line */
const SVG = "http://www.w3.org/2000/svg";

export class MeasurePanel {
  /** @type {{line: Line, metres: number} | null} */
  reference = null;
  /** @type {Line[]} */
  lines = [];
  /** The first end of the line that is being drawn. @type {import("./measuring.js").Pixel | null} */
  begun = null;
  /** A known line that has no length yet. @type {Line | null} */
  asked = null;

  /** @param {import("./stage.js").Stage} stage */
  constructor(stage) {
    this.stage = stage;
    stage.addEventListener("pick", () => this.#pick());
    for (const name of ["mark", "fit", "view"]) stage.addEventListener(name, () => this.#draw());
    document.addEventListener("language", () => this.update());
    for (const each of this.#kinds()) each.addEventListener("change", () => ((this.begun = this.asked = null), this.update()));
    element("length-form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      this.#set(Number(input("length").value.replace(",", ".")));
    });
    for (const each of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll("[data-length]"))) {
      each.addEventListener("click", () => this.#set(Number(each.dataset.length)));
    }
    button("measure-clear").addEventListener("click", () => this.clear());
  }

  clear() {
    this.reference = this.begun = this.asked = null;
    this.lines = [];
    this.#choose(this.stage.depth?.isDistance ? "unknown" : "known");
    this.update();
  }

  #kinds() {
    return /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("input[name=line]"));
  }

  /** @param {"known" | "unknown"} kind */
  #choose(kind) {
    for (const each of this.#kinds()) each.checked = each.value === kind;
  }

  #isKnown() {
    return [...this.#kinds()].some((each) => each.checked && each.value === "known");
  }

  #pick() {
    const pixel = this.stage.mark;
    if (!pixel || this.asked) return;
    if (!this.begun) this.begun = pixel;
    else {
      const line = { from: this.begun, to: pixel };
      this.begun = null;
      if (this.#isKnown()) this.asked = line;
      else this.lines.push(line);
    }
    this.update();
    if (this.asked) input("length").focus();
  }

  /** @param {number} metres */
  #set(metres) {
    const fits = metres > 0 && metres < 10_000;
    box("length-wrong").textContent = fits ? "" : t("bad_length");
    if (!fits || !this.asked) return;
    this.reference = { line: this.asked, metres };
    this.asked = null;
    this.#choose("unknown");
    this.update();
    box("surface").focus();
  }

  /** Writes what is known now. */
  update() {
    const { depth, lens } = this.stage;
    if (!depth) return;
    const can = Boolean(this.reference) || depth.isDistance;
    element("length-form", HTMLFormElement).hidden = !this.asked;
    let step = this.#isKnown() ? t("measure_first") : t("measure_next");
    if (!this.#isKnown() && !can) step = t("measure_none");
    if (depth.isDistance && !this.reference && !this.#isKnown()) step = `${t("measure_metric")} ${step}`;
    box("measure-step").textContent = this.asked ? "" : step;
    box("measure-how").hidden = !can || this.lines.length === 0;
    button("measure-clear").hidden = !this.reference && this.lines.length === 0;
    const rows = this.lines.map((line, at) => {
      const length = measure(depth, lens, line, this.reference);
      if (!length) return this.#row(t("measure_none"), "", () => this.lines.splice(at, 1));
      const words = inWords(length);
      return this.#row(t(this.reference ? "result" : "result_estimated", words), t("spread", words), () => this.lines.splice(at, 1));
    });
    if (this.reference) {
      const text = t("reference", { length: given(this.reference.metres) });
      const row = this.#row(text, "", () => ((this.reference = null), this.#choose(depth.isDistance ? "unknown" : "known")));
      row.classList.add("known");
      rows.unshift(row);
    }
    box("lengths").replaceChildren(...rows);
    this.#draw();
  }

  /**
   * @param {string} text
   * @param {string} more
   * @param {() => void} remove
   */
  #row(text, more, remove) {
    const row = document.createElement("li");
    const strong = document.createElement("strong");
    strong.textContent = text;
    const away = Object.assign(document.createElement("button"), { type: "button", textContent: t("remove") });
    away.setAttribute("aria-label", `${t("remove")}: ${text}`);
    away.addEventListener("click", () => (remove(), this.update()));
    row.append(strong, away);
    if (more) row.append(Object.assign(document.createElement("span"), { className: "small", textContent: more }));
    return row;
  }

  #draw() {
    const { depth, lens, mark, view } = this.stage;
    const marks = /** @type {SVGSVGElement} */ (/** @type {unknown} */ (document.getElementById("marks")));
    marks.replaceChildren();
    if (!depth || (view !== "measure" && view !== "compare")) return;
    const { clientWidth, clientHeight } = box("frame");
    const [sx, sy] = [clientWidth / depth.width, clientHeight / depth.height];
    /** @param {string} name @param {Record<string, string | number>} attributes */
    const add = (name, attributes, text = "") => {
      const made = document.createElementNS(SVG, name);
      for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
      made.textContent = text;
      marks.append(made);
    };
    /** @param {Line} line @param {string} kind @param {string} text */
    const draw = ({ from, to }, kind, text) => {
      const ends = { x1: from.x * sx, y1: from.y * sy, x2: to.x * sx, y2: to.y * sy };
      add("line", { ...ends, class: kind });
      add("line", { ...ends, class: `${kind} top` });
      for (const end of [from, to]) add("circle", { cx: end.x * sx, cy: end.y * sy, r: 6, class: kind });
      add("text", { x: Math.min(clientWidth - 60, Math.max(60, (ends.x1 + ends.x2) / 2)), y: (ends.y1 + ends.y2) / 2 - 12 }, text);
    };
    if (view === "measure") {
      if (this.reference) draw(this.reference.line, "known", given(this.reference.metres));
      if (this.asked) draw(this.asked, "known", "?");
      for (const line of this.lines) {
        const length = measure(depth, lens, line, this.reference);
        draw(line, "", length ? t("result", inWords(length)) : "?");
      }
      if (this.begun && mark) draw({ from: this.begun, to: mark }, this.#isKnown() ? "known" : "", "");
    }
    if (mark) {
      const [x, y] = [mark.x * sx, mark.y * sy];
      add("path", { class: "cross", d: `M${x - 14} ${y}h9m10 0h9M${x} ${y - 14}v9m0 10v9` });
    }
  }
}

/**
 * A length in one unit for all of its numbers, with as many figures as its uncertainty deserves.
 * @param {number} error in metres
 * @param {number} size what the unit must suit, in metres
 * @param {number[]} lengths in metres
 */
function written(error, size, lengths) {
  const [scale, unit] = size < 1 ? [100, "cm"] : [1, "m"];
  const figures = Math.min(3, Math.max(0, Math.ceil(-Math.log10(error * scale))));
  return { unit, numbers: lengths.map((length) => (length * scale).toFixed(figures)) };
}

/** @param {import("./measuring.js").Length} length */
function inWords({ metres, error, low, high }) {
  const { unit, numbers } = written(error, metres, [metres, error, low, high]);
  return { length: numbers[0], error: `${numbers[1]} ${unit}`, low: `${numbers[2]} ${unit}`, high: `${numbers[3]} ${unit}` };
}

/** @param {number} metres a length that the visitor gave */
function given(metres) {
  return metres < 1 ? `${Number((metres * 100).toPrecision(4))} cm` : `${Number(metres.toPrecision(4))} m`;
}
