// Prints what a module is made of: node size.mjs MODULE.wasm
// The bytes of code of each crate, as far as the names of functions show, and the bytes of each section.

import { readFileSync } from "node:fs";

const bytes = readFileSync(process.argv[2]);
let at = 8;
const number = () => {
  let value = 0, shift = 0, byte;
  do {
    byte = bytes[at++];
    value += (byte & 127) * 2 ** shift;
    shift += 7;
  } while (byte & 128);
  return value;
};
const text = () => {
  const length = number();
  at += length;
  return bytes.toString("utf8", at - length, at);
};

const sections = {}, bodies = [], names = new Map();
const standard = ["custom", "type", "import", "function", "table", "memory", "global", "export", "start", "element", "code", "data", "data count"];
while (at < bytes.length) {
  const id = bytes[at++], size = number(), end = at + size;
  let name = standard[id] ?? `section ${id}`;
  if (id === 0) name = `custom ${text()}`;
  sections[name] = (sections[name] ?? 0) + size;
  if (id === 10) {
    for (let count = number(); count > 0; count--) {
      const length = number();
      bodies.push(length);
      at += length;
    }
  } else if (name === "custom name") {
    while (at < end) {
      const kind = bytes[at++], length = number(), stop = at + length;
      if (kind === 1) for (let count = number(); count > 0; count--) names.set(number(), text());
      at = stop;
    }
  }
  at = end;
}

// A generic function counts for the crate of the type that it was instantiated for. Only a function that names no other
// crate counts for Rust's own crates.
const rusts = ["core", "alloc", "std"];
function crate(name) {
  const first = (list) => list.filter((c) => name.includes(c)).sort((a, b) => name.indexOf(a) - name.indexOf(b) || b.length - a.length)[0];
  return first(crates) ?? first(rusts) ?? "others";
}
const crates = ["wasmlark", "wasmi_core", "wasmi_ir", "wasmi_collections", "wasmi", "wasmparser", "wast", "starlark_syntax", "starlark_map", "starlark",
  "pagable", "lsp_types", "debugserver_types", "serde_json", "serde", "regex_automata", "regex_syntax", "regex", "aho_corasick", "num_bigint", "blake3",
  "annotate_snippets", "anyhow", "allocative", "memchr", "fancy_regex", "inventory", "erased_serde", "dtoa", "logos", "textwrap", "unicode",
  "spin", "rustyline", "postcard", "derivative", "itertools", "compiler_builtins", "hashbrown", "dlmalloc", "bumpalo", "indexmap", "lalrpop_util"];
const total = new Map();
// Without imports, the first body is function 0.
bodies.forEach((length, index) => {
  const name = names.get(index);
  const of = name === undefined ? "unnamed" : crate(name);
  total.set(of, (total.get(of) ?? 0) + length);
});
const rows = [...total].sort((a, b) => b[1] - a[1]);
for (const [name, size] of rows.slice(0, 25)) console.log(`${String(size).padStart(9)}  code of ${name}`);
console.log(`${String(rows.slice(25).reduce((sum, [, size]) => sum + size, 0)).padStart(9)}  code of others`);
for (const [name, size] of Object.entries(sections)) console.log(`${String(size).padStart(9)}  section ${name}`);
