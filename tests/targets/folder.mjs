// A folder of scripts, for node.

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

// Returns all files below a folder, as pairs of path and bytes.
export function filesOf(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .map((path) => [path.slice(folder.replace(/\/*$/, "/").length), readFileSync(path)]);
}

// Returns the scripts at the top of a folder, sorted by the bytes of their names.
export function scriptsOf(folder) {
  return readdirSync(folder).filter((name) => name.endsWith(".star")).sort();
}
