// Prints transcripts made by wasmlark inside WebAssembly, in node:
//   node node.mjs MODULE.wasm FOLDER [SCRIPT …]
// Without scripts, those at the top of the folder, by name.

import { readFileSync } from "node:fs";
import { Wasmlark } from "../../examples/web/wasmlark.mjs";
import { filesOf, scriptsOf } from "./folder.mjs";
import { transcript } from "./transcripts.mjs";

const [path, folder, ...scripts] = process.argv.slice(2);
const bytes = readFileSync(path);
const imports = WebAssembly.Module.imports(new WebAssembly.Module(bytes));
if (imports.length > 0) {
  console.error(`${imports.length} imports, expected none:`, imports);
  process.exit(1);
}
process.stdout.write(transcript(await Wasmlark.load(bytes), filesOf(folder), scripts.length ? scripts : scriptsOf(folder)));
