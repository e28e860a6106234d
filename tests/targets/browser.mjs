// Prints transcripts made by wasmlark inside WebAssembly, in a browser:
//   node browser.mjs BROWSER MODULE.wasm FOLDER [SCRIPT …]
// A local server serves the page and the files that it requests, and receives the transcripts.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { filesOf, scriptsOf } from "./folder.mjs";

const [browser, module, folder, ...chosen] = process.argv.slice(2);
const scripts = chosen.length ? chosen : scriptsOf(folder);
const files = filesOf(folder);
const root = fileURLToPath(new URL("../../", import.meta.url));

const fixed = {
  "/": ["text/html", readFileSync(join(root, "tests/targets/page.html"))],
  "/module.wasm": ["application/wasm", readFileSync(module)],
  "/list.json": ["application/json", JSON.stringify({ files: files.map(([path]) => path), scripts })],
};
for (const path of ["examples/web/wasmlark.mjs", "examples/web/constants.mjs", "tests/targets/transcripts.mjs"]) {
  fixed[`/${path}`] = ["text/javascript", readFileSync(join(root, path))];
}
for (const [path, content] of files) fixed[`/files/${path}`] = ["application/octet-stream", content];

const server = createServer((request, response) => {
  if (request.method === "POST") {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => {
      response.end();
      end(request.url === "/transcript" ? 0 : 1, Buffer.concat(parts));
    });
    return;
  }
  const [type, body] = fixed[decodeURIComponent(request.url)] ?? [];
  response.writeHead(body === undefined ? 404 : 200, { "content-type": type ?? "text/plain" });
  response.end(body);
});

const profile = mkdtempSync(join(tmpdir(), "wasmlark-browser-"));
let process_;
let said = "";
const timeout = setTimeout(() => end(1, `no answer from the browser within ten minutes; it said:\n${said}`), 600_000);

server.listen(0, "127.0.0.1", () => {
  const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", `--user-data-dir=${profile}`];
  // In its own process group, so that all of its processes can be killed.
  process_ = spawn(browser, [...flags, `http://127.0.0.1:${server.address().port}/`], { detached: true });
  process_.stderr.on("data", (text) => (said += text));
  process_.on("error", (error) => end(1, `cannot start ${browser}: ${error.message}\n`));
  process_.on("exit", (code) => end(1, `the browser ended by itself, with ${code}; it said:\n${said}`));
});

function end(status, text) {
  clearTimeout(timeout);
  if (process_?.pid !== undefined && process_.exitCode === null) {
    process_.removeAllListeners("exit");
    process.kill(-process_.pid, "SIGKILL");
  }
  (status === 0 ? process.stdout : process.stderr).write(text, () => {
    try {
      rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
    } catch (error) {
      console.error(`cannot remove ${profile}: ${error.message}`);
    }
    process.exit(status);
  });
}
