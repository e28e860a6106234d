// The memory view.

import assert from "node:assert/strict";
import { runToEnd, type } from "./page.mjs";

const typedAt = (page) =>
  page.evaluate(() => Object.fromEntries([...document.querySelectorAll("#typed div")].map((row) => [row.children[0].textContent, row.children[1].firstChild.textContent])));

async function goTo(page, address) {
  await page.fill("#address", address);
  await page.press("#address", "Enter");
}

// Returns the visible rows of the hexdump as text.
const rows = (page) =>
  page.evaluate(() => [...document.querySelectorAll("#hexdump .row")].map((row) => {
    const cells = (name) => [...row.querySelectorAll(`.${name} > span`)].map((cell) => cell.textContent);
    return [row.querySelector(".address").textContent, cells("byte").join(" "), cells("char").join("")];
  }));

export const tests = {
  async "bytes are shown, and read by type at the cursor"({ visit }) {
    const page = await visit();
    await type(page, "memory = wasm.Memory(2)\nmemory.pack('<Iqd', 256, 131000, -5, 0.1)\nmemory.write_cstring(512, 'grüße')\nmemory.write_f32(300, 0.1)");
    await runToEnd(page);
    await page.click("#tab-memory");
    await goTo(page, "0x100");
    const seen = await rows(page);
    const row = seen.find(([address]) => address === "000100");
    assert.equal(row[1], "b8 ff 01 00 fb ff ff ff ff ff ff ff 9a 99 99 99");
    let read = await typedAt(page);
    assert.deepEqual([read.u8, read.i8, read.u16, read.u32], ["184", "-72", "65464", "131000"]);
    await goTo(page, "260");
    read = await typedAt(page);
    assert.deepEqual([read.i64, read.u64], ["-5", "18446744073709551611"]);
    await goTo(page, "268");
    assert.equal((await typedAt(page)).f64, "0.1");
    await goTo(page, "300");
    assert.equal((await typedAt(page)).f32, "0.1");
    await goTo(page, "0x200");
    assert.equal((await typedAt(page)).text, '"grüße"');
    // A u32 that is an address is a link to it. One beyond the end is not.
    await goTo(page, "0x100");
    await page.click(".follow");
    assert.match(await page.textContent("#byte"), /^0x1ffb8 /);
    await goTo(page, "0x20000");
    assert.equal(await page.getAttribute("#address", "aria-invalid"), "true");
    // Seven bytes before the end, a value of eight bytes does not fit.
    await goTo(page, "0x1fff9");
    assert.equal((await typedAt(page)).u64, "—");
  },

  async "keys move the cursor"({ visit }) {
    const page = await visit();
    await runToEnd(page);
    await page.click("#tab-memory");
    await page.focus("#hexdump");
    const at = async () => (await page.textContent("#byte")).split(" ")[0];
    for (const [key, address] of [
      ["ArrowRight", "0x1"], ["ArrowDown", "0x11"], ["End", "0x1f"], ["Home", "0x10"], ["Control+End", "0xffff"], ["ArrowUp", "0xffef"], ["Control+Home", "0x0"],
    ]) {
      await page.keyboard.press(key);
      assert.equal(await at(), address, key);
    }
    await page.keyboard.press("g");
    assert.equal(await page.evaluate(() => document.activeElement.id), "address");
  },

  async "what a call changed is highlighted, and n goes there"({ visit }) {
    const page = await visit();
    await runToEnd(page);
    await page.click("#tab-memory");
    assert.equal(await page.textContent("#memory-note"), "");
    await page.click("#tab-output");
    await page.fill("#statement", "memory.write(0x8000, b'abc')");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => /done/.test(document.querySelector("#state").textContent));
    await page.click("#tab-memory");
    await page.waitForFunction(() => document.querySelector("#memory-note").textContent === "3 bytes changed");
    await page.focus("#hexdump");
    await page.keyboard.press("n");
    assert.match(await page.textContent("#byte"), /^0x8000 .*61, was 00$/);
    const changed = page.locator("#hexdump .byte .changed");
    assert.deepEqual(await changed.allTextContents(), ["61", "62", "63"]);
    // Running the same script again leaves the same bytes, so only those of the call change back.
    await runToEnd(page);
    await page.click("#tab-memory");
    await page.waitForFunction(() => document.querySelector("#memory-note").textContent === "3 bytes changed");
    await runToEnd(page);
    await page.click("#tab-memory");
    await page.waitForFunction(() => document.querySelector("#memory-note").textContent === "0 bytes changed");
  },

  async "of a script that failed, the memory is there"({ visit }) {
    const page = await visit();
    await type(page, "memory = wasm.Memory(1)\nmemory.write_u8(0, 7)\nfail('no more')");
    await runToEnd(page);
    await page.click("#tab-memory");
    assert.equal((await typedAt(page)).u8, "7");
  },

  async "megabytes scroll without lag"({ visit }) {
    const page = await visit();
    await type(page, "memory = wasm.Memory(512)\nmemory.write_u32((32 << 20) - 4, 0xdeadbeef)");
    await runToEnd(page);
    await page.click("#tab-memory");
    await page.waitForSelector("#hexdump .row");
    // A hundred jumps over the whole height. Measures the time that the page takes for each, including layout.
    const times = await page.evaluate(async () => {
      const scroller = document.querySelector(".scroller");
      const height = scroller.scrollHeight - scroller.clientHeight;
      const times = [];
      for (let step = 0; step < 100; step++) {
        const from = performance.now();
        scroller.scrollTop = (height * ((step * 37) % 100)) / 99;
        await new Promise(requestAnimationFrame);
        await new Promise(requestAnimationFrame);
        document.querySelector("#hexdump").getBoundingClientRect();
        times.push(performance.now() - from);
      }
      scroller.scrollTop = height;
      await new Promise(requestAnimationFrame);
      await new Promise(requestAnimationFrame);
      return times.sort((one, other) => one - other);
    });
    const seen = await rows(page);
    const last = seen.findLast(([address]) => address !== "");
    assert.deepEqual([last[0], last[1].slice(-11)], ["1fffff0", "ef be ad de"]);
    const nodes = await page.evaluate(() => document.querySelectorAll("#hexdump *").length);
    assert.ok(nodes < 3000, `${nodes} elements for 32 MiB`);
    const [median, worst] = [times[50], times[95]];
    // Two frames take 33 ms, and a busy machine gets some more.
    assert.ok(median < 120, `${median} ms`);
    return `32 MiB, two frames in ${median.toFixed(0)} ms, 95 of 100 in at most ${worst.toFixed(0)} ms`;
  },

  async "the map shows where bytes are, and leads there"({ visit }) {
    const page = await visit();
    await type(page, "memory = wasm.Memory(16)\nmemory.fill(0x80000, 0xff, 0x40000)");
    await runToEnd(page);
    await page.click("#tab-memory");
    await page.waitForSelector("#hexdump .row");
    assert.equal(await page.getAttribute("#map", "aria-label"), "Map of the memory: 1048576 bytes, 0 changed");
    const colours = await page.evaluate(() => {
      const map = document.querySelector("#map");
      const at = (part) => [...map.getContext("2d").getImageData(map.width >> 1, Math.floor(map.height * part), 1, 1).data].join();
      return [at(0.3), at(0.6), at(0.9)];
    });
    assert.equal(colours[0], colours[2]);
    assert.notEqual(colours[0], colours[1]);
    const box = await page.locator("#map").boundingBox();
    await page.mouse.click(box.x + box.width / 2, box.y + box.height * 0.6);
    assert.equal((await typedAt(page)).u8, "255");
  },
};
