// Makes the picture for the README: node scripts/pictures.mjs [FOLDER]
//
// With a folder, also writes pictures of other parts of the page to it, for review.

import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { open, runToEnd, type, visit } from "../tests/page.mjs";

const folder = fileURLToPath(new URL("../../docs/pictures", import.meta.url));
const { browser, url, close } = await open();
const viewport = { width: 1280, height: 690 };

async function picture(page, path) {
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path, animations: "disabled", caret: "hide" });
  console.log(`${path}: ${statSync(path).size} bytes`);
}

// The first script, and its memory after a call.
async function firstScript(options) {
  const page = await visit(browser, url, { viewport, ...options });
  await runToEnd(page);
  await page.fill("#statement", 'plugin.memory.write(plugin.exports.alloc(16), b"written by a call")');
  await page.press("#statement", "Enter");
  await page.waitForFunction(() => document.querySelectorAll("#printed .statement").length === 1 && document.querySelector("#state").textContent === "done");
  return page;
}

async function showMemory(page) {
  await page.click("#tab-memory");
  await page.fill("#address", "0x400");
  await page.press("#address", "Enter");
  await page.press("#hexdump", "n");
  await page.evaluate(() => document.activeElement.blur());
}

const [more] = process.argv.slice(2);
if (!more) {
  mkdirSync(folder, { recursive: true });
  const page = await firstScript({ colorScheme: "light" });
  await showMemory(page);
  await picture(page, join(folder, "playground.png"));
} else {
  mkdirSync(more, { recursive: true });
  for (const colorScheme of ["light", "dark"]) {
    const page = await firstScript({ colorScheme });
    await picture(page, join(more, `first-${colorScheme}.png`));
    await showMemory(page);
    await picture(page, join(more, `memory-${colorScheme}.png`));
    await page.selectOption("#examples", "traps");
    await runToEnd(page);
    await picture(page, join(more, `error-${colorScheme}.png`));
    await type(page, "memory = wasm.Memory(1)\nmemory.raed(0, 4)\nx = undefined_name\n");
    await page.keyboard.type("memory.wr");
    await page.waitForSelector(".cm-tooltip-autocomplete li");
    await picture(page, join(more, `typing-${colorScheme}.png`));
    await page.selectOption("#examples", "life");
    await page.click("#run");
    await page.waitForFunction(() => /frames a second/.test(document.querySelector("#rate").textContent));
    await page.waitForTimeout(1500);
    await picture(page, join(more, `life-${colorScheme}.png`));
    await page.click("#stop");
  }
  const phone = { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };
  for (const colorScheme of ["light", "dark"]) {
    const page = await visit(browser, url, { ...phone, colorScheme });
    await picture(page, join(more, `phone-script-${colorScheme}.png`));
    await page.tap("#run");
    await page.waitForFunction(() => document.querySelector("#state").textContent === "done");
    await picture(page, join(more, `phone-output-${colorScheme}.png`));
    for (const view of ["modules", "memory"]) {
      await page.tap(`.views [data-view=${view}]`);
      await picture(page, join(more, `phone-${view}-${colorScheme}.png`));
    }
  }
}
await close();
