// The page's side of a worker: requests are promises, and a worker that is stopped or broken is replaced.

export class Stopped extends Error {}

export class Client {
  #module;
  #worker;
  #waiting = new Map();
  #next = 1;
  // The contents of the files that the worker has, by name.
  #known = new Map();

  // `module` is the compiled engine. `listener` gets the messages between a request and its reply.
  constructor(module, listener = () => {}) {
    this.#module = module;
    this.listener = listener;
    this.#start();
  }

  #start() {
    this.#known = new Map();
    const worker = new Worker("worker.js", { type: "module" });
    worker.onmessage = ({ data }) => {
      if (worker === this.#worker) this.#receive(data);
    };
    worker.onerror = (event) => this.#fail(new Error(event.message || "the worker cannot be started"));
    worker.postMessage({ module: this.#module });
    this.#worker = worker;
  }

  #receive(data) {
    if (data.id === undefined) {
      this.listener(data);
      return;
    }
    const waiting = this.#waiting.get(data.id);
    this.#waiting.delete(data.id);
    if (data.broken !== undefined) {
      this.#fail(new Error(data.broken));
      waiting?.reject(new Error(data.broken));
    } else {
      waiting?.resolve(data);
    }
  }

  #fail(error) {
    this.#worker.terminate();
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    this.#start();
  }

  get isBusy() {
    return this.#waiting.size > 0;
  }

  // Ends whatever the worker is doing. Its state is lost.
  stop() {
    this.#fail(new Stopped("stopped"));
  }

  request(head, body = new Uint8Array()) {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, head, body });
    });
  }

  // Gives the worker files, by name. Only those that it does not have are sent.
  async files(files) {
    const heads = [], parts = [];
    for (const [name, content] of files) {
      if (this.#known.get(name) === content) {
        heads.push({ name });
        continue;
      }
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      heads.push({ name, length: bytes.length });
      parts.push(bytes);
    }
    if (parts.length === 0 && heads.length === this.#known.size) return;
    this.#known = new Map(files);
    const body = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      body.set(part, at);
      at += part.length;
    }
    await this.request({ do: "files", files: heads }, body);
  }
}
