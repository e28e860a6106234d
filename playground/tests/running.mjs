// Runs: their output, errors and cost, and what must not break the page.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { examples, outcome, runToEnd, type } from "./page.mjs";

const index = JSON.parse(readFileSync(join(examples, "index.json")));

// Waits until a number in the cost has passed a value while the script runs.
const passes = (page, id, value) =>
  page.waitForFunction(
    ([id, value]) => document.querySelector("#run").disabled && Number(document.getElementById(id).textContent.replaceAll(",", "")) > value,
    [id, value],
  );

export const tests = {
  async "the first script runs"({ visit, url }) {
    const page = await visit();
    const { output, state } = await runToEnd(page);
    assert.equal(output, "guest says: hello\nsome data\ninteger-division-by-zero\n");
    assert.equal(state, "done");
    assert.deepEqual(page.faults, []);
  },

  async "each example does what the command does, at the same cost"({ visit, native }) {
    const page = await visit();
    for (const { id, modules } of index) {
      if (modules) continue;
      await page.selectOption("#examples", id);
      await page.click("#run");
      await page.waitForFunction(() => /done|drawing|trapped|failed/.test(document.querySelector("#state").textContent));
      if (id === "life") await page.click("#pause");
      const here = await outcome(page);
      const there = native(join(examples, id));
      assert.equal(here.output, there.output, id);
      if (id !== "life") assert.deepEqual([here.fuel, here.ticks], [there.stats.fuel, there.stats.ticks], id);
      assert.equal(here.error === null, there.status === 0, id);
      if (here.error) assert.ok(there.stderr.includes(here.error.trim()), `${id}: ${here.error}\n${there.stderr}`);
    }
    assert.deepEqual(page.faults, []);
  },

  async "a trap is marked at its line, and the report names the guest's function"({ visit }) {
    const page = await visit({ fragment: "#traps" });
    const { error } = await runToEnd(page);
    assert.match(error, /integer divide by zero, in wasm function `divide\(i32\) -> i32`/);
    assert.match(await page.textContent("#script-editor .cm-failed-line"), /^guest\.exports\.divide\(0\)/);
    assert.match(await page.textContent("#script-editor .failure"), /integer divide by zero/);
    // The mark disappears with the first change.
    await page.click("#script-editor .cm-content");
    await page.keyboard.type(" ");
    assert.equal(await page.locator("#script-editor .cm-failed-line").count(), 0);
  },

  async "a syntax error leaves the page alive"({ visit }) {
    const page = await visit();
    await type(page, "x = (1,\ny = ]\n");
    const { error } = await runToEnd(page);
    assert.match(error, /main\.star:2/);
    await type(page, "print(6 * 7)");
    assert.equal((await runToEnd(page)).output, "42\n");
  },

  async "an endless loop of the script shows its cost, stops, and leaves the page alive"({ visit }) {
    const page = await visit();
    await type(page, "print('before')\ndef f():\n    for _ in range(1 << 30):\n        pass\nf()");
    await page.click("#run");
    await passes(page, "ticks", 100_000);
    assert.equal((await outcome(page)).output, "before\n");
    await page.click("#stop");
    await page.waitForFunction(() => document.querySelector("#state").textContent === "stopped");
    await type(page, "print(6 * 7)");
    assert.equal((await runToEnd(page)).output, "42\n");
  },

  async "an endless loop of a guest shows its cost, and stops by the keyboard"({ visit }) {
    const page = await visit();
    await type(page, 'm = wasm.wat(\'(module (memory 3) (func (export "f") (loop $l (br $l))))\')\nwasm.instantiate(m).exports.f()');
    await page.keyboard.press("Control+Enter");
    await passes(page, "fuel", 1_000_000);
    assert.equal((await outcome(page)).peak, "192 KiB");
    await page.keyboard.press("Control+.");
    await page.waitForFunction(() => document.querySelector("#state").textContent === "stopped");
    await type(page, "print(6 * 7)");
    assert.equal((await runToEnd(page)).output, "42\n");
  },

  async "a gigabyte of output is cut, told of, and ended by the limit"({ visit }) {
    const page = await visit();
    await type(page, "line = 'x' * 1023\ndef f():\n    for _ in range(1 << 20):\n        print(line)\nf()");
    const { output, error, state } = await runToEnd(page);
    assert.equal(output.length, 256 << 10);
    assert.match(error, /limit `output` is 67108864 bytes/);
    assert.equal(state, "a limit ended it");
    assert.match(await page.textContent("#cut"), /^… and 66,\d{3},\d{3} bytes more, which are not shown$/);
    await type(page, "print(6 * 7)");
    assert.equal((await runToEnd(page)).output, "42\n");
    assert.equal(await page.isVisible("#cut"), false);
  },

  async "calls nested as deep as the limits allow end in an error that says so"({ visit }) {
    const page = await visit();
    await type(page, "def f(n):\n    return 1 + f(n + 1)\nf(0)");
    assert.match((await runToEnd(page)).error, /call_depth/);
    const wat = '(module (import "e" "f" (func $f (param i32) (result i32))) (export "f" (func $f)) (func (export "g") (param i32) (result i32) (call $f (local.get 0))))';
    await type(page, `m = wasm.wat('${wat}')\nhold = {}\ndef f(caller, n):\n    return hold["g"].exports.g(n + 1)\nhold["g"] = wasm.instantiate(m, imports = {"e": {"f": f}})\nhold["g"].exports.g(0)`);
    assert.match((await runToEnd(page)).error, /call_depth|stack/);
    await type(page, "print(6 * 7)");
    assert.equal((await runToEnd(page)).output, "42\n");
  },

  async "statements in the session see what the script left"({ visit }) {
    const page = await visit();
    await runToEnd(page);
    await page.fill("#statement", "plugin.exports.alloc(8)");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => [...document.querySelectorAll("#printed .value")].at(-1)?.textContent === "→ 1029");
    await page.fill("#statement", "print('again', nothing)");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#printed .error");
    await page.fill("#statement", "plugin.exports.alloc(8)");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => [...document.querySelectorAll("#printed .value")].at(-1)?.textContent === "→ 1037");
  },
};
