// Runs scripts isolated by wasmlark inside WebAssembly, in node: the evaluator is a module in wasmi, which is in a module.
//   node isolated.mjs MODULE.wasm FOLDER TRANSCRIPTS
// The first scripts of the folder must have the transcripts and costs that a file has, which this machine made.

import { readFileSync } from "node:fs";
import { Wasmlark } from "../../examples/web/wasmlark.mjs";
import { filesOf, scriptsOf } from "./folder.mjs";
import { transcript } from "./transcripts.mjs";

const [path, folder, expected] = process.argv.slice(2);
const names = scriptsOf(folder).filter((name) => name.startsWith("error_")).slice(0, 12);
const wasmlark = await Wasmlark.load(readFileSync(path));
const all = readFileSync(expected, "utf8");
let failed = 0;
for (const name of names) {
  const text = transcript(wasmlark, filesOf(folder), [name], true);
  if (!all.includes(text)) {
    console.log(`not among the transcripts of this machine:\n${text}`);
    failed += 1;
  }
}
console.log(`${names.length - failed} of ${names.length} scripts have the same transcripts and costs`);
process.exit(failed || names.length === 0 ? 1 : 0);
