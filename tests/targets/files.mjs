// Prints a folder's files as a Starlark file: node files.mjs FOLDER

import { filesOf } from "./folder.mjs";

const literal = (bytes) => `b"${[...bytes].map((b) => `\\x${b.toString(16).padStart(2, "0")}`).join("")}"`;
for (const [path, content] of [["FILES = {"], ...filesOf(process.argv[2]), ["}"]]) {
  console.log(content === undefined ? path : `    ${JSON.stringify(path)}: ${literal(content)},`);
}
