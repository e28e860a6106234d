// The engine, in a worker. Requests and replies are JSON followed by bytes: see playground/engine.

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class Engine {
  #exports;

  // `page` has write(stream, bytes) and progress(fuel, ticks, memory).
  constructor(module, page) {
    const { exports } = new WebAssembly.Instance(module, {
      page: {
        write: (stream, address, length) =>
          page.write(stream, new Uint8Array(this.#exports.memory.buffer, address, length)),
        progress: page.progress,
      },
    });
    this.#exports = exports;
  }

  // Returns the head and the body of the reply. The body is a copy.
  serve(head, body = new Uint8Array()) {
    const text = encoder.encode(JSON.stringify(head));
    const room = this.#exports.room(text.length + body.length);
    const request = new Uint8Array(this.#exports.memory.buffer, room, text.length + body.length);
    request.set(text);
    request.set(body, text.length);
    const place = this.#exports.serve(text.length);
    const { buffer } = this.#exports.memory;
    const [headAt, headLength, bodyAt, bodyLength] = new Uint32Array(buffer, place, 4);
    return {
      head: JSON.parse(decoder.decode(new Uint8Array(buffer, headAt, headLength))),
      body: new Uint8Array(buffer, bodyAt, bodyLength).slice(),
    };
  }
}
