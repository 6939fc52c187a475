/**
 * The visitor's photo: read by the browser, made smaller where it need not be large, without what it says of its maker.
 */

/**
 * @typedef {object} Photo
 * @property {ImageBitmap | null} picture as it is shown; null where the browser cannot read the file
 * @property {Blob} file what is sent
 * @property {string} name without its ending
 */

/** Pixels that are sent, unless the visitor asks for all: the networks look at fewer. */
const ENOUGH = 1_600_000;
const MOST_SHOWN = 16_000_000;

/**
 * @param {Blob} file
 * @param {string} name
 * @param {boolean} whole send it as it is
 * @returns {Promise<Photo>}
 */
export async function readPhoto(file, name, whole) {
  const bare = name.replace(/\.[^.]*$/, "") || "photo";
  /** @type {ImageBitmap} */
  let picture;
  try {
    picture = await createImageBitmap(file);
  } catch {
    // The server knows why, and says so in words.
    return { picture: null, file, name: bare };
  }
  const pixels = picture.width * picture.height;
  if (pixels <= ENOUGH || (whole && pixels <= MOST_SHOWN)) return { picture, file, name: bare };
  const share = Math.sqrt((whole ? MOST_SHOWN : ENOUGH) / pixels);
  const size = [Math.round(picture.width * share), Math.round(picture.height * share)];
  const canvas = new OffscreenCanvas(size[0], size[1]);
  const context = canvas.getContext("2d");
  if (!context) return { picture, file, name: bare };
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, size[0], size[1]);
  picture.close();
  const smaller = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.92 });
  return { picture: canvas.transferToImageBitmap(), file: whole ? file : smaller, name: bare };
}
