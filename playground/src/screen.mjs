// The screen: calls the script's function `frame(milliseconds, events)` repeatedly, and draws what it returns. An event is a
// pair: a key's name as in KeyboardEvent.code, and whether the key went down.

export class Screen {
  #parts;
  #events = [];
  #isRunning = false;
  #began = 0;
  #paused = 0;
  #times = [];
  #told = 0;

  // `request` asks the worker for a frame. `spent` gets its cost, and `failed` its error.
  constructor(parts) {
    this.#parts = parts;
    const { canvas, keys, pause } = parts;
    for (const [type, isDown] of [["keydown", true], ["keyup", false]]) {
      canvas.addEventListener(type, (event) => {
        // Tab leaves the picture, since there is no other way out of it without a mouse.
        if (event.code === "Tab" || event.metaKey) return;
        event.preventDefault();
        if (!event.repeat) this.#events.push([event.code, isDown]);
      });
    }
    for (const button of keys) {
      for (const [type, isDown] of [["pointerdown", true], ["pointerup", false], ["pointercancel", false], ["pointerleave", false]]) {
        button.addEventListener(type, (event) => {
          if (type === "pointerleave" && !event.buttons) return;
          event.preventDefault();
          this.#events.push([button.dataset.key, isDown]);
        });
      }
    }
    pause.addEventListener("click", () => (this.#isRunning ? this.stop() : this.start(false)));
  }

  get isRunning() {
    return this.#isRunning;
  }

  start(isNew = true) {
    const now = performance.now();
    this.#began = isNew ? now : this.#began + now - this.#paused;
    this.#events = [];
    this.#times = [];
    this.#told = 0;
    this.#isRunning = true;
    this.#parts.pause.textContent = "Pause";
    this.#next();
  }

  stop() {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    this.#paused = performance.now();
    this.#parts.pause.textContent = "Resume";
  }

  async #next() {
    const { request, spent, failed, pause, rate } = this.#parts;
    const from = performance.now();
    let reply;
    try {
      reply = await request({ do: "frame", milliseconds: Math.round(from - this.#began), events: this.#events.splice(0) });
    } catch {
      // The worker was stopped.
      this.#isRunning = false;
      return;
    }
    const { head, body } = reply;
    if (head.stats) spent(head.stats);
    if (head.error || head.refused) {
      this.#isRunning = false;
      pause.textContent = "Resume";
      failed(head.error ?? { message: head.refused, report: head.refused });
      return;
    }
    this.#draw(head, body);
    this.#times.push(performance.now() - from);
    if (this.#times.length > 30) this.#times.shift();
    const mean = this.#times.reduce((sum, time) => sum + time, 0) / this.#times.length;
    // Twice a second, so that it can be read.
    if (performance.now() - this.#told > 500) {
      this.#told = performance.now();
      rate.textContent = `${head.width} × ${head.height}, ${(1000 / Math.max(mean, 1000 / 60)).toFixed(1)} frames a second, ${mean.toFixed(0)} ms each`;
    }
    if (this.#isRunning) requestAnimationFrame(() => this.#isRunning && this.#next());
  }

  #draw({ width, height, order }, pixels) {
    const { canvas } = this.#parts;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    if (order === "bgra") {
      const words = new Uint32Array(pixels.buffer, pixels.byteOffset, width * height);
      for (let at = 0; at < words.length; at++) {
        const word = words[at];
        words[at] = (word & 0xff00ff00) | ((word & 0xff) << 16) | ((word >>> 16) & 0xff);
      }
    }
    // Guests seldom set the opacity.
    for (let at = 3; at < pixels.length; at += 4) pixels[at] = 255;
    const view = new Uint8ClampedArray(pixels.buffer, pixels.byteOffset, pixels.length);
    canvas.getContext("2d", { alpha: false }).putImageData(new ImageData(view, width, height), 0, 0);
  }
}
