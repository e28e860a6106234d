// wasmlark in a browser, in node, or in any other WebAssembly host: a module without imports, used through the
// functions of capi/include/wasmlark.h.
//
//   const wasmlark = await Wasmlark.load(bytes);
//   const sandbox = wasmlark.sandbox({ fuel: 1_000_000 });
//   sandbox.file("add.wasm", bytesOfModule);
//   const run = sandbox.run("main.star", script);
//   if (run.ok) console.log(run.output, run.value); else console.log(run.error);
//   sandbox.free();

import { KIND, LIMIT, NUMBER, STATUS, TEXT } from "./constants.mjs";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const kinds = Object.fromEntries(Object.entries(KIND).map(([name, number]) => [number, name]));

export class Wasmlark {
  #exports;

  static async load(bytes) {
    const module = await WebAssembly.compile(bytes);
    return new Wasmlark((await WebAssembly.instantiate(module, {})).exports);
  }

  constructor(exports) {
    this.#exports = exports;
  }

  get version() {
    return this.#withLength((length) => this.#exports.wasmlark_version(length));
  }

  sandbox(limits = {}) {
    return new Sandbox(this, limits);
  }

  // Calls an exported function. Each string or array of bytes is passed as an address and a length.
  call(name, ...args) {
    const buffers = [];
    const flat = args.flatMap((arg) => {
      const bytes = typeof arg === "string" ? encoder.encode(arg) : arg;
      if (!(bytes instanceof Uint8Array)) return [arg];
      const address = this.#exports.wasmlark_buffer_new(bytes.length);
      if (address === 0) throw new Error(this.lastError());
      buffers.push(address);
      new Uint8Array(this.#exports.memory.buffer, address, bytes.length).set(bytes);
      return [address, bytes.length];
    });
    try {
      return this.#exports[name](...flat);
    } finally {
      for (const address of buffers) this.#exports.wasmlark_buffer_free(address);
    }
  }

  // Calls a function that returns a status, and throws unless it is OK.
  must(name, ...args) {
    if (this.call(name, ...args) !== STATUS.ok) throw new Error(this.lastError());
  }

  lastError() {
    return this.#withLength((length) => this.#exports.wasmlark_last_error(length)) ?? "";
  }

  text(run, which) {
    return this.#withLength((length) => this.#exports.wasmlark_run_text(run, TEXT[which], length));
  }

  // Returns a number of a run as a BigInt, or undefined if it is absent. An exit code has a sign.
  number(run, which) {
    const place = this.#exports.wasmlark_buffer_new(8);
    const status = this.#exports.wasmlark_run_number(run, NUMBER[which], place);
    const value = new DataView(this.#exports.memory.buffer).getBigUint64(place, true);
    this.#exports.wasmlark_buffer_free(place);
    if (status !== STATUS.ok) return undefined;
    return which === "exit_code" ? BigInt.asIntN(64, value) : value;
  }

  // Returns the text at the address that `read` returns, or undefined for null. `read` writes its length to the address
  // it is passed.
  #withLength(read) {
    const place = this.#exports.wasmlark_buffer_new(4);
    const address = read(place);
    const { buffer } = this.#exports.memory;
    const length = new DataView(buffer).getUint32(place, true);
    this.#exports.wasmlark_buffer_free(place);
    return address === 0 ? undefined : decoder.decode(new Uint8Array(buffer, address, length));
  }
}

class Sandbox {
  #wasmlark;
  #handle;

  constructor(wasmlark, limits) {
    this.#wasmlark = wasmlark;
    this.#handle = wasmlark.call("wasmlark_sandbox_new");
    if (this.#handle === 0) throw new Error(wasmlark.lastError());
    for (const [name, value] of Object.entries(limits)) {
      if (!(name in LIMIT)) throw new Error(`there is no limit ${name}; the limits are: ${Object.keys(LIMIT).join(", ")}`);
      wasmlark.must("wasmlark_sandbox_limit", this.#handle, LIMIT[name], BigInt(value));
    }
  }

  // Adds a script or module for `load` and `wasm.Module`. The content is a string or a Uint8Array.
  file(name, content) {
    this.#wasmlark.must("wasmlark_sandbox_file", this.#handle, name, content);
  }

  argument(text) {
    this.#wasmlark.must("wasmlark_sandbox_argument", this.#handle, text);
  }

  // Runs scripts isolated, where the module was built with the feature `isolated`.
  isolated(isIsolated = true) {
    this.#wasmlark.must("wasmlark_sandbox_isolated", this.#handle, isIsolated ? 1 : 0);
  }

  run(name, script) {
    const w = this.#wasmlark;
    const run = w.call("wasmlark_sandbox_run", this.#handle, name, script);
    if (run === 0) throw new Error(w.lastError());
    const kind = kinds[w.call("wasmlark_run_kind", run)];
    const texts = Object.keys(TEXT).map((which) => [which, w.text(run, which)]);
    const numbers = Object.keys(NUMBER).map((which) => [which, w.number(run, which)]);
    w.must("wasmlark_free", run);
    return { ok: kind === "done", kind, ...Object.fromEntries(texts), ...Object.fromEntries(numbers) };
  }

  free() {
    this.#wasmlark.must("wasmlark_free", this.#handle);
  }
}
