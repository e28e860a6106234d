// Scripts that draw.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { dist, type } from "./page.mjs";

const isDrawing = (page, timeout) =>
  page.waitForFunction(() => /frames a second/.test(document.querySelector("#rate").textContent), undefined, { timeout });

const colours = (page) =>
  page.evaluate(() => {
    const canvas = document.querySelector("#canvas");
    const words = new Uint32Array(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.buffer);
    return { size: [canvas.width, canvas.height], count: new Set(words).size, hash: words.reduce((sum, word) => (Math.imul(sum, 31) + word) | 0, 0) };
  });

export const tests = {
  async "frames are drawn, keys reach the script, and the memory view follows"({ visit }) {
    const page = await visit({ fragment: "#life" });
    await page.click("#run");
    await isDrawing(page);
    const first = await colours(page);
    assert.deepEqual(first.size, [160, 100]);
    await page.waitForTimeout(300);
    const later = await colours(page);
    assert.notEqual(later.hash, first.hash);
    // Living cells, the background, and fading cells.
    assert.ok(later.count > 2);
    const rate = await page.textContent("#rate");
    await page.click("#tab-memory");
    await page.waitForFunction(() => /^[1-9][\d,]* bytes changed/.test(document.querySelector("#memory-note").textContent));
    await page.click("#tab-screen");
    await page.click("#pause");
    await page.waitForTimeout(500);
    const paused = await colours(page);
    await page.waitForTimeout(200);
    assert.equal((await colours(page)).hash, paused.hash);
    await page.click("#pause");
    await page.click("#stop");
    assert.equal(await page.textContent("#state"), "stopped");
    return rate;
  },

  async "keys are events of the script"({ visit }) {
    const page = await visit();
    await type(page, 'seen = []\ndef frame(now, events):\n    seen.extend(events)\n    return {"width": 1, "height": 1, "order": "bgra", "pixels": b"\\x01\\x02\\x03\\xff"}');
    await page.click("#run");
    await isDrawing(page);
    assert.deepEqual(await page.evaluate(() => [...document.querySelector("#canvas").getContext("2d").getImageData(0, 0, 1, 1).data]), [3, 2, 1, 255]);
    await page.focus("#canvas");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("KeyA");
    await page.dispatchEvent("[data-key=Space]", "pointerdown");
    await page.waitForTimeout(300);
    await page.click("#pause");
    await page.click("#tab-output");
    await page.fill("#statement", "seen");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#printed .value");
    const value = await page.textContent("#printed .value");
    assert.equal(value, '→ [("ArrowUp", True), ("ArrowUp", False), ("KeyA", True), ("KeyA", False), ("Space", True)]');
  },

  async "a frame that is none says what is wrong"({ visit }) {
    const page = await visit();
    await type(page, 'def frame(now, events):\n    return {"width": 2, "height": 2, "pixels": b"abc"}');
    await page.click("#run");
    await page.waitForSelector("#printed .error");
    assert.match(await page.textContent("#printed .error"), /`pixels` of a frame of 2 × 2 must have 16 bytes, got 3/);
  },

  async "DOOM is drawn, and its menu takes keys"({ visit, Skip }) {
    if (!existsSync(join(dist, "modules/doom.wasm"))) throw new Skip("examples/real/modules had no doom.wasm when the page was built");
    const page = await visit({ fragment: "#doom" });
    await page.click("#run");
    await isDrawing(page, 120_000);
    await page.waitForFunction(() => {
      const canvas = document.querySelector("#canvas");
      const words = new Uint32Array(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.buffer);
      return new Set(words).size > 20;
    });
    const title = await colours(page);
    assert.deepEqual(title.size, [640, 400]);
    // Enter opens the menu over the title.
    await page.focus("#canvas");
    await page.keyboard.press("Enter", { delay: 300 });
    await page.waitForTimeout(3000);
    assert.notEqual((await colours(page)).hash, title.hash);
    const rate = await page.textContent("#rate");
    await page.click("#stop");
    return rate;
  },
};
