/**
 * What the page asks of the gateway.
 */
import { Failure } from "./failure.js";

/**
 * @typedef {object} Model
 * @property {string} name
 * @property {number} resolution
 * @property {number} grid
 * @property {number[]} [resolutions] all that the network takes
 * @property {string[]} aspects
 * @property {string | null} unit
 * @property {string | null} licence
 */

const KEY = "key";

/** @param {string} key */
export function useKey(key) {
  sessionStorage.setItem(KEY, key);
}

/** @returns {Record<string, string>} */
function headers() {
  const key = sessionStorage.getItem(KEY);
  return key ? { Authorization: `Bearer ${key}` } : {};
}

/**
 * @param {string} text
 * @param {number} status
 * @param {string | null} wait
 */
function failure(text, status, wait) {
  try {
    const problem = JSON.parse(text);
    return new Failure(problem.code, problem.message, Number(wait) || 0);
  } catch {
    return new Failure(status === 413 ? "too_large" : "error", `HTTP ${status}`);
  }
}

/**
 * @param {string} address
 * @param {RequestInit} how
 */
async function asked(address, how) {
  const response = await fetch(address, how).catch(() => null);
  if (!response) throw new Failure("unreachable");
  if (!response.ok) throw failure(await response.text(), response.status, response.headers.get("Retry-After"));
  return response;
}

/** @returns {Promise<Model[]>} */
export async function models() {
  return (await (await asked("models", { headers: headers() })).json()).models;
}

/**
 * @param {Blob} photo
 * @param {Record<string, string>} options
 */
function form(photo, options) {
  const body = new FormData();
  for (const [name, value] of Object.entries(options)) if (value) body.set(name, value);
  body.set("image", photo, "photo");
  return body;
}

/**
 * The depth of a photo, as a PNG of 16 bits.
 * @param {Blob} photo
 * @param {Record<string, string>} options
 * @param {(share: number) => void} onSent how much of the photo is sent, 0 to 1
 * @param {AbortSignal} signal
 * @returns {Promise<{file: ArrayBuffer, info: import("./depth.js").Info}>}
 */
export function predict(photo, options, onSent, signal) {
  return new Promise((resolve, reject) => {
    // fetch does not tell how much is sent.
    const request = new XMLHttpRequest();
    request.open("POST", "predict");
    request.responseType = "arraybuffer";
    for (const [name, value] of Object.entries({ ...headers(), Accept: "image/png" })) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => event.lengthComputable && event.loaded < event.total && onSent(event.loaded / event.total);
    request.upload.onload = () => onSent(1);
    request.onload = () => {
      if (request.status === 200) {
        resolve({ file: request.response, info: JSON.parse(request.getResponseHeader("X-Depth-Info") ?? "{}") });
      } else reject(failure(new TextDecoder().decode(request.response), request.status, request.getResponseHeader("Retry-After")));
    };
    request.onerror = () => reject(new Failure("unreachable"));
    request.onabort = () => reject(new Failure("cancelled"));
    signal.addEventListener("abort", () => request.abort());
    request.send(form(photo, { ...options, format: "png16" }));
  });
}

/**
 * Keeps the depth of a photo on the server for a while.
 * @param {Blob} photo
 * @param {Record<string, string>} options
 * @returns {Promise<string>} the id that it can be fetched by
 */
export async function keep(photo, options) {
  const body = form(photo, { ...options, format: "png16" });
  const answer = await (await asked("predict", { method: "POST", body, headers: { ...headers(), Accept: "application/json" } })).json();
  return answer.depth_image_url.split("/").pop();
}

/**
 * A depth that was kept.
 * @param {string} id
 * @param {AbortSignal} signal
 */
export async function kept(id, signal) {
  try {
    return await (await asked(`results/${encodeURIComponent(id)}`, { signal })).arrayBuffer();
  } catch (error) {
    throw error instanceof Failure && error.code === "not_found" ? new Failure("expired") : error;
  }
}
