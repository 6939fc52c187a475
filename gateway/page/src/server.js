/**
 * What the page asks of the gateway.
 */

/**
 * @typedef {object} Model
 * @property {string} name
 * @property {number} resolution
 * @property {number} grid
 * @property {string | null} unit
 * @property {string | null} licence
 */

/** A failure that can be told in words. */
export class Failure extends Error {
  /**
   * @param {string} code of the gateway's problem, or unreachable, cancelled
   * @param {string} [message] the gateway's own words
   * @param {number} [wait] seconds to wait
   */
  constructor(code, message = "", wait = 0) {
    super(message);
    this.code = code;
    this.wait = wait;
  }
}

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

/** @returns {Promise<Model[]>} */
export async function models() {
  const response = await fetch("models", { headers: headers() }).catch(() => null);
  if (!response) throw new Failure("unreachable");
  const text = await response.text();
  if (!response.ok) throw failure(text, response.status, response.headers.get("Retry-After"));
  return JSON.parse(text).models;
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
    request.upload.onprogress = (event) => event.lengthComputable && onSent(event.loaded / event.total);
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
 * @returns {Promise<{id: string, info: import("./depth.js").Info}>}
 */
export async function keep(photo, options) {
  const sent = { method: "POST", body: form(photo, { ...options, format: "png16" }), headers: { ...headers(), Accept: "application/json" } };
  const response = await fetch("predict", sent).catch(() => null);
  if (!response) throw new Failure("unreachable");
  const text = await response.text();
  if (!response.ok) throw failure(text, response.status, response.headers.get("Retry-After"));
  const { depth_image_url: url, model: variant, weights, range, kind, unit } = JSON.parse(text);
  return { id: url.split("/").pop(), info: { variant, weights, range, kind, unit } };
}

/**
 * A depth that was kept.
 * @param {string} id
 */
export async function kept(id) {
  const response = await fetch(`results/${encodeURIComponent(id)}`).catch(() => null);
  if (!response) throw new Failure("unreachable");
  if (!response.ok) throw new Failure("expired");
  return response.arrayBuffer();
}
