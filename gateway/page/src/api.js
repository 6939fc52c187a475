// What the page asks of the gateway.

/** A failure in the gateway's words (problem+json), or without any answer. */
export class Failure extends Error {
  /**
   * @param {number} status of HTTP; 0 where there was no answer
   * @param {string} message
   */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/**
 * @typedef {{name: string, resolution: number, grid: number, weights: string | null, licence: string | null,
 *   kind: string, unit: string | null}} Model
 * @typedef {{depth_image_url: string, model: string, weights: string | null, width: number, height: number,
 *   range: [number, number], kind: string, unit: string | null,
 *   timings_ms: Record<string, number>}} Answer
 */

/** @returns {Promise<Model[]>} */
export async function models() {
  const response = await fetch("models").catch(() => {
    throw new Failure(0, "");
  });
  if (!response.ok) throw await failure(response.status, await response.text());
  return (await response.json()).models;
}

/**
 * Send a photo and get what its depth is.
 * @param {Blob} photo
 * @param {Record<string, string>} options
 * @param {AbortSignal} signal
 * @param {(share: number) => void} sent told how much of the photo is sent
 * @returns {Promise<Answer>}
 */
export function predict(photo, options, signal, sent) {
  const form = new FormData();
  for (const [name, value] of Object.entries(options)) if (value) form.append(name, value);
  form.append("image", photo, "photo");
  // fetch() does not tell how much of a body is sent.
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "predict");
    request.setRequestHeader("Accept", "application/json");
    request.upload.onprogress = (event) => sent(event.lengthComputable ? event.loaded / event.total : 0);
    request.upload.onload = () => sent(1);
    request.onload = () =>
      request.status === 200
        ? resolve(JSON.parse(request.responseText))
        : reject(failure(request.status, request.responseText));
    request.onerror = () => reject(new Failure(0, ""));
    request.onabort = () => reject(new DOMException("cancelled", "AbortError"));
    signal.addEventListener("abort", () => request.abort());
    request.send(form);
  });
}

/**
 * The bytes at an address of the gateway.
 * @param {string} url
 * @param {AbortSignal} [signal]
 */
export async function bytesAt(url, signal) {
  const response = await fetch(new URL(url, location.href).pathname.replace(/^.*\/results\//, "results/"), { signal }).catch((error) => {
    throw error.name === "AbortError" ? error : new Failure(0, "");
  });
  if (!response.ok) throw failure(response.status, await response.text());
  return new Uint8Array(await response.arrayBuffer());
}

/**
 * @param {number} status
 * @param {string} text
 */
function failure(status, text) {
  try {
    return new Failure(status, JSON.parse(text).message);
  } catch {
    return new Failure(status, `${status}`);
  }
}
