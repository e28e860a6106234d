// node peer.mjs MODULE WORK TIMES
import { readFileSync } from "node:fs";

const [path, work, count] = process.argv.slice(2);
const times = Number(count);
const module = new WebAssembly.Module(readFileSync(path));
const { exports } = new WebAssembly.Instance(module, { env: { f: (x) => x } });

// What is read is added up, so that the compiler cannot remove the reads.
let sum = 0;
const read = (length) => {
  for (let i = 0; i < times; i++) sum += new Uint8Array(exports.memory.buffer, 0, length).slice()[length - 1];
};
switch (work) {
  case "call":
    for (let i = 0; i < times; i++) sum += exports.add(40, 2);
    break;
  case "read64":
    read(64);
    break;
  case "read64k":
    read(64 << 10);
    break;
  default:
    exports[work](times);
}
if (sum === -1) console.log(sum);
