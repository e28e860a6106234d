// Animated GIFs of a page: few colours, and of each frame only what is new.

import { GifWriter } from "omggif";
import { PNG } from "pngjs";

const MOST_COLOURS = 128;
// The first colour stands for what stays as it was.
const SAME = 0;
const NO_PIXEL = 0xffffffff;

export class Film {
  #width;
  #height;
  #last = null;
  // Of each frame, the box that has what is new, the pixels in it, and how long it is shown.
  #frames = [];

  // Adds a frame, given as PNG, that is shown for some milliseconds. If it looks like the last one, that one is shown longer.
  add(png, milliseconds) {
    const { width, height, data } = PNG.sync.read(png);
    const pixels = new Uint32Array(width * height);
    for (let at = 0; at < pixels.length; at++) pixels[at] = (data[at * 4] << 16) | (data[at * 4 + 1] << 8) | data[at * 4 + 2];
    this.#width = width;
    this.#height = height;
    const part = this.#last ? difference(this.#last, pixels, width) : { box: { x: 0, y: 0, width, height }, pixels };
    this.#last = pixels;
    if (part) this.#frames.push({ ...part, milliseconds });
    else this.#frames.at(-1).milliseconds += milliseconds;
  }

  get length() {
    return this.#frames.length;
  }

  get seconds() {
    return this.#frames.reduce((sum, { milliseconds }) => sum + milliseconds, 0) / 1000;
  }

  // Returns the file, which repeats for ever.
  bytes() {
    const { palette, index } = colours(this.#frames);
    const room = this.#frames.reduce((sum, { pixels }) => sum + pixels.length * 2 + 1024, 4096);
    const file = new Uint8Array(room);
    const writer = new GifWriter(file, this.#width, this.#height, { loop: 0, palette });
    let rest = 0;
    for (const { box, pixels, milliseconds } of this.#frames) {
      // The file counts hundredths of a second. What is rounded off is carried over.
      const delay = Math.round((milliseconds + rest) / 10);
      rest += milliseconds - delay * 10;
      const part = Uint8Array.from(pixels, (pixel) => (pixel === NO_PIXEL ? SAME : index.get(pixel)));
      writer.addFrame(box.x, box.y, box.width, box.height, part, { delay, disposal: 1, transparent: SAME });
    }
    return file.subarray(0, writer.end());
  }
}

// Returns the smallest box around the pixels that differ, and the pixels in it; null if none differs.
function difference(one, other, width) {
  let left = width, right = 0, top = Infinity, bottom = 0;
  for (let at = 0; at < one.length; at++) {
    if (one[at] === other[at]) continue;
    const x = at % width, y = (at - x) / width;
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = y;
  }
  if (top === Infinity) return null;
  const box = { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
  const pixels = new Uint32Array(box.width * box.height);
  for (let y = 0; y < box.height; y++) {
    for (let x = 0; x < box.width; x++) {
      const at = (top + y) * width + left + x;
      pixels[y * box.width + x] = one[at] === other[at] ? NO_PIXEL : other[at];
    }
  }
  return { box, pixels };
}

// Returns the colours of the file, and which of them stands for each colour of the frames. A page has a few colours, and the
// mixtures of two of them at the edges of letters.
function colours(frames) {
  const counts = new Map();
  for (const { pixels } of frames) for (const pixel of pixels) if (pixel !== NO_PIXEL) counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
  const byCount = [...counts].sort(([one, ones], [other, others]) => others - ones || one - other).map(([pixel]) => pixel);
  const chosen = [];
  // First those that look different, so that a colour that is rare is among them, too.
  for (const apart of [300, 100, 0]) {
    for (const pixel of byCount) {
      if (chosen.length === MOST_COLOURS - 1) break;
      if (chosen.every((other) => distance(pixel, other) > apart)) chosen.push(pixel);
    }
  }
  const nearest = (pixel) => {
    let best = 0;
    for (let at = 1; at < chosen.length; at++) if (distance(pixel, chosen[at]) < distance(pixel, chosen[best])) best = at;
    return best + 1;
  };
  const palette = [0, ...chosen, ...Array(MOST_COLOURS - 1 - chosen.length).fill(0)];
  return { palette, index: new Map(byCount.map((pixel) => [pixel, nearest(pixel)])) };
}

// The eye sees green best, and blue worst.
function distance(one, other) {
  const channel = (shift) => ((one >> shift) & 255) - ((other >> shift) & 255);
  return 3 * channel(16) ** 2 + 4 * channel(8) ** 2 + 2 * channel(0) ** 2;
}
