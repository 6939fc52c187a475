/** Links that open what the visitor sees: a sample by its name, else the depth that the server keeps for a while. */
import { CONTRASTS, MAPS } from "./colours.js";
import { SAMPLES } from "./intake.js";
import { VIEWS } from "./stage.js";

/**
 * @typedef {object} Shared
 * @property {string} sample its name, or nothing
 * @property {string} id of a depth that is kept, or nothing
 * @property {import("./depth.js").Info} info
 * @property {Partial<import("./colours.js").Look>} look
 * @property {import("./stage.js").View} view
 */

/** @param {Shared} shared */
export function link({ sample, id, info, look, view }) {
  const parts = new URLSearchParams({ view, map: look.map ?? "", far: String(look.far), near: String(look.near) });
  for (const name of /** @type {const} */ (["invert", "contours"])) if (look[name]) parts.set(name, "1");
  for (const name of /** @type {const} */ (["contrast", "clip", "tiles"])) if (look.contrast === "clahe" || name === "contrast") parts.set(name, String(look[name]));
  if (sample) parts.set("sample", sample);
  else {
    parts.set("result", id);
    parts.set("range", info.range.join(","));
    parts.set("model", info.variant);
    if (info.kind) parts.set("kind", info.kind);
  }
  return `${location.origin}${location.pathname}#${parts}`;
}

/**
 * What the page's address asks for, or null.
 * @param {string} hash
 * @returns {Shared | null}
 */
export function read(hash) {
  const parts = new URLSearchParams(hash.slice(1));
  const sample = SAMPLES.find((each) => each === parts.get("sample")) ?? "";
  const id = parts.get("result") ?? "";
  if (!sample && !id) return null;
  const number = (/** @type {string} */ name, /** @type {number} */ without, least = 0, most = 1) => {
    const value = parseFloat(parts.get(name) ?? "");
    return value >= least && value <= most ? value : without;
  };
  const [low, high] = (parts.get("range") ?? "0,1").split(",").map(Number);
  const map = parts.get("map") ?? "";
  const [far, near] = [number("far", 0), number("near", 1)];
  return {
    sample,
    id,
    info: { variant: parts.get("model") ?? "", weights: "", range: low <= high ? [low, high] : [0, 1], kind: parts.get("kind") ?? undefined },
    look: {
      map: MAPS.includes(map) ? map : "inferno",
      ...(far < near ? { far, near } : { far: 0, near: 1 }),
      invert: parts.has("invert"),
      contrast: CONTRASTS.find((each) => each === parts.get("contrast")) ?? "none",
      clip: number("clip", 2, 1, 16),
      tiles: Math.round(number("tiles", 8, 2, 16)),
      contours: parts.has("contours"),
    },
    view: VIEWS.find((each) => each === parts.get("view")) ?? "compare",
  };
}
