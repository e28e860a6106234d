// Tests of the page in headless Chromium: node tests/run.mjs [PART-OF-A-NAME]
//
// They need dist, and the command for comparison: WASMLARK, or target/debug/wasmlark. A test that fails leaves a picture in
// .cache/playground.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { dist, open, visit } from "./page.mjs";
import * as access from "./access.mjs";
import * as drawing from "./drawing.mjs";
import * as editing from "./editing.mjs";
import * as leaving from "./leaving.mjs";
import * as memory from "./memory.mjs";
import * as running from "./running.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const command = process.env.WASMLARK ?? join(root, "target/debug/wasmlark");
if (!existsSync(join(dist, "engine.bin"))) throw new Error("dist is not built: npm run build");
if (!existsSync(command)) throw new Error(`there is no ${command}: cargo build --package wasmlark-cli, or set WASMLARK`);

export class Skip extends Error {}

// Writes files to a temporary folder.
function inFolder(files, use) {
  const folder = mkdtempSync(join(tmpdir(), "playground-"));
  try {
    for (const [name, content] of files) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), content);
    }
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

// Runs a folder's main.star with the command.
function native(folder) {
  const run = (out) => spawnSync(command, ["run", "--stats", "--out", out, join(folder, "main.star")], { encoding: "utf8" });
  const { stdout, stderr, status } = inFolder([], run);
  const stats = JSON.parse(stderr.trim().split("\n").at(-1));
  return { output: stdout, stderr, status, stats };
}

const { browser, url, close } = await open();
const tools = {
  browser, url, command, root, inFolder, native, Skip,
  visit: (options) => visit(browser, url, options),
};
const wanted = process.argv[2] ?? "";
let passed = 0, failed = 0, skipped = 0;
for (const part of [running, editing, memory, leaving, drawing, access]) {
  for (const [name, test] of Object.entries(part.tests)) {
    if (!name.includes(wanted)) continue;
    const from = performance.now();
    const before = new Set(browser.contexts());
    try {
      const said = await test(tools);
      passed++;
      console.log(`ok       ${name}, ${Math.round(performance.now() - from)} ms${said ? `: ${said}` : ""}`);
    } catch (error) {
      if (error instanceof Skip) {
        skipped++;
        console.log(`skipped  ${name}: ${error.message}`);
      } else {
        failed++;
        console.log(`FAILED   ${name}: ${error.stack}`);
        const page = browser.contexts().at(-1)?.pages().at(-1);
        mkdirSync(join(root, ".cache/playground"), { recursive: true });
        await page?.screenshot({ path: join(root, ".cache/playground", `${name.replace(/\W+/g, "-")}.png`) }).catch(() => {});
      }
    }
    for (const context of browser.contexts()) if (!before.has(context)) await context.close();
  }
}
await close();
console.log(`playground: ${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
