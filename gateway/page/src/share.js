/** Links that open what the visitor sees: a sample by its name, else the depth that the server keeps for a while. */
import { MAPS } from "./colours.js";
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
  for (const name of /** @type {const} */ (["invert", "equalise", "contours"])) if (look[name]) parts.set(name, "1");
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
  const sample = parts.get("sample") ?? "";
  const id = parts.get("result") ?? "";
  if (!sample && !id) return null;
  const share = (/** @type {string} */ name, /** @type {number} */ without) => {
    const value = parseFloat(parts.get(name) ?? "");
    return value >= 0 && value <= 1 ? value : without;
  };
  const [low, high] = (parts.get("range") ?? "0,1").split(",").map(Number);
  const map = parts.get("map") ?? "";
  const [far, near] = [share("far", 0), share("near", 1)];
  return {
    sample,
    id,
    info: { variant: parts.get("model") ?? "", weights: "", range: low <= high ? [low, high] : [0, 1], kind: parts.get("kind") ?? undefined },
    look: {
      map: MAPS.includes(map) ? map : "inferno",
      ...(far < near ? { far, near } : { far: 0, near: 1 }),
      invert: parts.has("invert"),
      equalise: parts.has("equalise"),
      contours: parts.has("contours"),
    },
    view: VIEWS.find((each) => each === parts.get("view")) ?? "compare",
  };
}
