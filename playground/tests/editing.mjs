// What the editors show while the user types.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { examples, outcome, runToEnd, type } from "./page.mjs";

export const tests = {
  async "the checker's findings are marked as one types"({ visit }) {
    const page = await visit();
    await type(page, "memory = wasm.Memory(1)\nmemory.raed(0, 4)\n");
    await page.waitForSelector("#script-editor .cm-lintRange-error");
    assert.equal(await page.textContent("#script-editor .cm-lintRange-error"), "raed");
    assert.equal(await page.textContent("#problems"), "1 problem");
    await type(page, "memory = wasm.Memory(1)\nmemory.read(0, 4)\n");
    await page.waitForFunction(() => document.querySelectorAll("#script-editor .cm-lintRange-error").length === 0);
    await page.waitForFunction(() => document.querySelector("#problems").textContent === "");
  },

  async "a problem behind characters of two units is marked at its place"({ visit }) {
    const page = await visit();
    await type(page, "memory = wasm.Memory(1)\nx = '😀😀'; memory.raed(0, 4)\n");
    await page.waitForSelector("#script-editor .cm-lintRange-error");
    assert.equal(await page.textContent("#script-editor .cm-lintRange-error"), "raed");
  },

  async "names and attributes are completed"({ visit }) {
    const page = await visit();
    await type(page, "memory = wasm.Memory(1)\n");
    await page.keyboard.type("memory.gr");
    await page.waitForSelector(".cm-tooltip-autocomplete li");
    assert.deepEqual(await page.locator(".cm-tooltip-autocomplete li").allTextContents(), ["grow"]);
    await page.waitForTimeout(150);
    await page.keyboard.press("Enter");
    await page.keyboard.type("(1); memo");
    await page.waitForFunction(() => document.querySelector(".cm-tooltip-autocomplete li[aria-selected]")?.textContent === "memory");
  },

  async "the name under the pointer is described"({ visit }) {
    const page = await visit();
    await type(page, "memory = wasm.Memory(1)\nmemory.read_string(0, 4)\n");
    await page.locator("#script-editor .cm-line", { hasText: "read_string" }).getByText("read_string").hover();
    await page.waitForSelector(".description");
    assert.match(await page.textContent(".description"), /wasm\.Memory\.read_string/);
  },

  async "a fault in WAT is marked at its place"({ visit }) {
    const page = await visit();
    await type(page, '(module\n  (func (export "f") (result i32)\n    (i32.cosnt 1)))\n', "#module-editor");
    await page.waitForSelector("#module-editor .cm-lintRange-error");
    assert.match(await page.textContent("#module-editor .cm-line:has(.cm-lintRange-error)"), /i32\.cosnt/);
    // A module that parses but is invalid is reported too.
    await type(page, '(module (func (export "f") (result i32)))', "#module-editor");
    await page.waitForFunction(() => document.querySelector("#module-editor .cm-lintRange-error")?.textContent === "(");
  },

  async "a module that is opened is described, and scripts load it"({ visit, inFolder, root }) {
    const page = await visit();
    const module = Buffer.from("0061736d0100000001070160027f7f017f030201000707010361646400000a09010700200020016a0b", "hex");
    await page.setInputFiles("#open", { name: "add.wasm", mimeType: "application/wasm", buffer: module });
    await page.waitForSelector("#binary h3");
    assert.match(await page.textContent("#binary"), /add\.wasm, 41 bytes.*add\(i32, i32\) -> i32/s);
    await type(page, "print(wasm.instantiate('add.wasm').exports.add(40, 2))");
    assert.equal((await runToEnd(page)).output, "42\n");
  },

  async "another example is shown from its first line"({ visit }) {
    const page = await visit({ fragment: "#traps", viewport: { width: 1280, height: 600 } });
    await runToEnd(page);
    await page.waitForFunction(() => document.querySelector("#script-editor .cm-scroller").scrollTop > 0);
    await page.selectOption("#examples", "plugin");
    await page.waitForFunction(() => document.querySelector("#script-editor .cm-scroller").scrollTop === 0);
  },

  async "a file that a script loads is edited in the second pane, and its errors are marked there"({ visit }) {
    const page = await visit();
    page.on("dialog", (dialog) => dialog.accept("lib.star"));
    await page.click("#add");
    await page.waitForFunction(() => document.querySelector("#files [aria-selected=true]")?.textContent === "lib.star");
    await type(page, "def half(n):\n    for i in [n]:\n        n = i // 0\n    return n\n", "#module-editor");
    await type(page, 'load("lib.star", "half")\nhalf(4)\n');
    const { error } = await runToEnd(page);
    assert.match(error, /lib\.star:3/);
    assert.match(await page.textContent("#module-editor .cm-failed-line"), /n = i \/\/ 0/);
  },
};
