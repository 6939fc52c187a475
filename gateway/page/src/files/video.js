/** A short video of what a canvas shows, made by the browser. */

const KINDS = ["video/mp4;codecs=avc1", "video/webm;codecs=vp9", "video/webm;codecs=vp8", "video/webm"];

/** The first kind that this browser can make; undefined where it can make none. */
export function videoKind() {
  return "MediaRecorder" in window ? KINDS.find((kind) => MediaRecorder.isTypeSupported(kind)) : undefined;
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {(share: number) => void} draw paints the picture of a moment, 0 to 1
 * @param {number} seconds
 * @returns {Promise<Blob>}
 */
export async function film(canvas, draw, seconds) {
  const kind = videoKind();
  if (!kind) throw new Error("no video");
  const recorder = new MediaRecorder(canvas.captureStream(30), { mimeType: kind, videoBitsPerSecond: 6_000_000 });
  /** @type {Blob[]} */
  const parts = [];
  recorder.ondataavailable = (event) => parts.push(event.data);
  const ended = new Promise((resolve) => (recorder.onstop = resolve));
  recorder.start();
  const begun = performance.now();
  await new Promise((resolve) => {
    const next = () => {
      const share = (performance.now() - begun) / (seconds * 1000);
      draw(Math.min(1, share));
      if (share < 1) requestAnimationFrame(next);
      else resolve(undefined);
    };
    next();
  });
  recorder.stop();
  await ended;
  return new Blob(parts, { type: kind.split(";")[0] });
}
