/**
 * What the three views share of WebGL2: one context, the depth, the photo and the colours as textures.
 */
import { SIZE } from "../colours.js";

/** A triangle that covers the whole canvas. */
export const COVER = `#version 300 es
out vec2 place;
void main() {
  vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1) * 2.0;
  place = vec2(corner.x, 1.0 - corner.y);
  gl_Position = vec4(corner * 2.0 - 1.0, 0.0, 1.0);
}`;

/** How near a place of the map is, and which tone it has, with all 16 bits, and smooth between the pixels. */
export const NEARNESS = `
uniform highp usampler2D depth;
uniform highp usampler2D tones;
float levelOf(highp usampler2D map, ivec2 at) {
  return float(texelFetch(map, clamp(at, ivec2(0), textureSize(map, 0) - 1), 0).r) / 65535.0;
}
float smoothed(highp usampler2D map, vec2 place) {
  vec2 exact = place * vec2(textureSize(map, 0)) - 0.5;
  ivec2 at = ivec2(floor(exact));
  vec2 share = fract(exact);
  return mix(mix(levelOf(map, at), levelOf(map, at + ivec2(1, 0)), share.x),
             mix(levelOf(map, at + ivec2(0, 1)), levelOf(map, at + ivec2(1, 1)), share.x), share.y);
}
float level(ivec2 at) { return levelOf(depth, at); }
float nearness(vec2 place) { return smoothed(depth, place); }`;

export class Gpu {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {WebGL2RenderingContext} gl
   */
  constructor(canvas, gl) {
    this.canvas = canvas;
    this.gl = gl;
    this.depth = gl.createTexture();
    this.tones = gl.createTexture();
    /** The longest side that can be shown. @type {number} */
    this.longest = gl.getParameter(gl.MAX_TEXTURE_SIZE);
    this.photo = gl.createTexture();
    this.colours = gl.createTexture();
  }

  /**
   * Null where there is no WebGL2.
   * @param {HTMLCanvasElement} canvas
   */
  static on(canvas) {
    const gl = canvas.getContext("webgl2", { antialias: true, alpha: true, premultipliedAlpha: true, preserveDrawingBuffer: true });
    return gl && new Gpu(canvas, gl);
  }

  /**
   * @param {import("../depth.js").Depth} depth no side above `longest`
   * @param {HTMLCanvasElement} photo
   */
  show(depth, photo) {
    const { gl } = this;
    this.isDistance = depth.isDistance;
    this.#levels(this.depth, depth, depth.levelsOfNearness());
    this.#bind(this.photo, gl.LINEAR);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, gl.RGBA, gl.UNSIGNED_BYTE, photo);
  }

  /**
   * @param {Uint8Array} table
   * @param {import("../depth.js").Depth} depth
   * @param {Uint16Array} tones what the table is read by
   */
  colour(table, depth, tones) {
    const { gl } = this;
    this.#levels(this.tones, depth, tones);
    this.#bind(this.colours, gl.NEAREST);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, SIZE, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, table);
  }

  /**
   * @param {string} vertex
   * @param {string} fragment
   */
  program(vertex, fragment) {
    const { gl } = this;
    const program = /** @type {WebGLProgram} */ (gl.createProgram());
    for (const [kind, source] of /** @type {[number, string][]} */ ([[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]])) {
      const shader = /** @type {WebGLShader} */ (gl.createShader(kind));
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program) ?? "WebGL");
    return program;
  }

  /**
   * Begins a picture: the program with its textures, on an empty canvas.
   * @param {WebGLProgram} program
   * @param {Record<string, number | number[] | Float32Array>} uniforms
   */
  begin(program, uniforms) {
    const { gl } = this;
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.useProgram(program);
    for (const [unit, name] of ["depth", "tones", "photo", "colours"].entries()) {
      gl.activeTexture(gl.TEXTURE0 + unit);
      gl.bindTexture(gl.TEXTURE_2D, [this.depth, this.tones, this.photo, this.colours][unit]);
      gl.uniform1i(gl.getUniformLocation(program, name), unit);
    }
    gl.uniform1i(gl.getUniformLocation(program, "isDistance"), Number(this.isDistance));
    for (const [name, value] of Object.entries(uniforms)) {
      const where = gl.getUniformLocation(program, name);
      if (typeof value === "number") gl.uniform1f(where, value);
      else if (value.length === 2) gl.uniform2f(where, value[0], value[1]);
      else if (value.length === 3) gl.uniform3f(where, value[0], value[1], value[2]);
      else if (value.length === 4) gl.uniform4f(where, value[0], value[1], value[2], value[3]);
      else gl.uniformMatrix4fv(where, false, value);
    }
  }

  /**
   * @param {WebGLTexture | null} texture
   * @param {{width: number, height: number}} size
   * @param {Uint16Array} levels
   */
  #levels(texture, { width, height }, levels) {
    const { gl } = this;
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    this.#bind(texture, gl.NEAREST);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.R16UI, width, height, 0, gl.RED_INTEGER, gl.UNSIGNED_SHORT, levels);
  }

  /**
   * @param {WebGLTexture | null} texture
   * @param {number} filter
   */
  #bind(texture, filter) {
    const { gl } = this;
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, texture);
    for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, name, filter);
    for (const name of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, name, gl.CLAMP_TO_EDGE);
  }
}
