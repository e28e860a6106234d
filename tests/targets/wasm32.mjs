// Runs a script in wasmlark inside WebAssembly: node wasm32.mjs MODULE.wasm SCRIPT.star
import { readFileSync } from "node:fs";

const [path, script] = process.argv.slice(2);
const module = new WebAssembly.Module(readFileSync(path));
const imports = WebAssembly.Module.imports(module);
if (imports.length > 0) {
  console.error(`${imports.length} imports, expected none:`, imports);
  process.exit(1);
}
const { exports } = new WebAssembly.Instance(module, {});
const text = readFileSync(script);
const at = exports.alloc(text.length);
new Uint8Array(exports.memory.buffer, at, text.length).set(text);
const answer = exports.run(at, text.length);
const length = new DataView(exports.memory.buffer).getUint32(answer, true);
process.stdout.write(new Uint8Array(exports.memory.buffer, answer + 4, length));
