// Makes the film for the README: node scripts/film.mjs [FOLDER]
//
// With a folder, also writes its frames to it, for review.
//
// The page's clock stands still, except between frames. So the film does not depend on how fast the machine is.

import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { open, visit } from "../tests/page.mjs";
import { Film } from "./gif.mjs";

const path = fileURLToPath(new URL("../../docs/pictures/playground.gif", import.meta.url));
const viewport = { width: 960, height: 620 };

// What is there when the film begins. The module is that of the first script.
const BEGIN = `def log(caller, ptr, length):
    text = caller.memory.read_string(ptr, length)
    print("guest says:", text)

plugin = wasm.instantiate("plugin.wat",
    imports = {"env": {"log": log}})

`;

const { browser, url, close } = await open();
const page = await visit(browser, url, { viewport, colorScheme: "light", reducedMotion: "reduce" });
const devtools = await page.context().newCDPSession(page);
const film = new Film();
const [folder] = process.argv.slice(2);
if (folder) mkdirSync(folder, { recursive: true });

// Milliseconds that have been shown, and have yet to pass in the page.
let late = 0;

// Shows the page as it is for some milliseconds, which then pass.
async function show(milliseconds) {
  const { data } = await devtools.send("Page.captureScreenshot", { format: "png", optimizeForSpeed: true });
  const png = Buffer.from(data, "base64");
  const before = film.length;
  film.add(png, milliseconds);
  if (folder && film.length > before) writeFileSync(join(folder, `${String(film.length).padStart(3, "0")}.png`), png);
  late += milliseconds;
  // Short times pass together with what comes next, which saves half of the work.
  if (late > 150) await settle(0);
}

// Lets the page do what it does at once, such as drawing the text that was typed.
async function settle(least = 17) {
  await page.clock.runFor(Math.max(least, late));
  late = 0;
}

// Waits for what a worker does, which takes no time in the film.
async function until(condition, argument) {
  for (let step = 0; !(await page.evaluate(condition, argument)); step++) {
    if (step > 1000) throw new Error(`this did not happen: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
    await settle();
  }
  await settle();
}

// The milliseconds between keys vary as with a person who types, and are the same each time.
let rhythm = 1;
function pause(key) {
  rhythm = (rhythm * 48271) % 2147483647;
  const base = key === " " || key === "\n" ? 60 : 34;
  return base + (rhythm % 4) * 10;
}

async function type(text) {
  for (const key of text) {
    await (key === "\n" ? page.keyboard.press("Enter") : page.keyboard.insertText(key));
    await settle();
    await show(pause(key));
  }
}

// The pointer, which a page without a screen does not have.
let pointer = { x: 500, y: 330 };
const place = ({ x, y }) =>
  page.evaluate(([x, y]) => {
    let pointer = document.querySelector("#film-pointer");
    if (!pointer) {
      pointer = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      pointer.id = "film-pointer";
      pointer.setAttribute("viewBox", "0 0 14 20");
      Object.assign(pointer.style, { position: "fixed", width: "14px", height: "20px", zIndex: 99, pointerEvents: "none" });
      const arrow = pointer.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "path"));
      for (const [name, value] of [["d", "M1 1v15l3.600-3.400 2.400 5.600 2.600-1.100-2.400-5.500h5z"], ["fill", "#111"], ["stroke", "#fff"]]) arrow.setAttribute(name, value);
      document.body.append(pointer);
    }
    Object.assign(pointer.style, { left: `${x}px`, top: `${y}px` });
  }, [x, y]);

// Moves the pointer, fast in the middle of its way.
async function moveTo({ x, y }) {
  const from = pointer, to = { x: Math.round(x), y: Math.round(y) }, steps = 9;
  for (let step = 1; step <= steps; step++) {
    const share = (1 - Math.cos((Math.PI * step) / steps)) / 2;
    pointer = { x: Math.round(from.x + (to.x - from.x) * share), y: Math.round(from.y + (to.y - from.y) * share) };
    await page.mouse.move(pointer.x, pointer.y);
    await place(pointer);
    await settle();
    await show(40);
  }
}

async function click() {
  await page.mouse.down();
  await page.mouse.up();
  await settle();
}

async function run() {
  const box = await page.locator("#run").boundingBox();
  await moveTo({ x: box.x + box.width * 0.6, y: box.y + box.height * 0.6 });
  await show(120);
  await click();
  await until(() => !document.querySelector("#run").disabled);
}

// ---- Before the film.

await page.click("#script-editor .cm-content");
await page.keyboard.press("Control+a");
await page.keyboard.insertText(BEGIN);
// The end of the module is shown, where the function is that will trap.
await page.click("#module-editor .cm-content");
await page.keyboard.press("Control+End");
await page.waitForSelector("#module-editor .cm-activeLine:last-child");
await page.evaluate(() => {
  // Begins with a whole line.
  const scroller = document.querySelector("#module-editor .cm-scroller");
  const { top } = scroller.getBoundingClientRect();
  const line = [...scroller.querySelectorAll(".cm-line")].find((line) => line.getBoundingClientRect().top >= top);
  scroller.scrollTop += line.getBoundingClientRect().top - top;
});
await page.click("#script-editor .cm-content");
await page.keyboard.press("Control+End");
// The time is hidden, since it differs in each run.
await page.evaluate(() => (document.querySelector("#time").parentElement.hidden = true));
await page.mouse.move(pointer.x, pointer.y);
await place(pointer);
await page.clock.install();
await page.clock.pauseAt(Date.now() + 1000);
await page.clock.runFor(1000);
await until(() => document.querySelector("#problems").textContent === "");

// ---- The film.

await show(600);
await type("ptr = plugin.exports.alloc(5)\nplugin.memory.wr");
await settle(200);
await until(() => document.querySelector(".cm-tooltip-autocomplete li[aria-selected]")?.textContent === "write");
await show(700);
await page.keyboard.press("Enter");
await settle();
await show(200);
await type('(ptr, b"hello")\nplugin.exports.handle(ptr, 5)\nprint(plugin.exports.risky(7))');
await show(300);
await run();
await show(2100);
// The module divides by `n - 7`.
await moveTo(await page.evaluate(() => {
  const seven = [...document.querySelectorAll("#script-editor .cm-failed-line span")].find(({ textContent }) => textContent === "7");
  const { right, bottom } = seven.getBoundingClientRect();
  // Low, so that the pointer does not hide the number.
  return { x: right, y: bottom - 2 };
}));
await show(150);
await click();
await show(250);
await page.keyboard.press("Backspace");
await settle();
await show(180);
await type("9");
await show(300);
await run();
await show(2500);

await close();
writeFileSync(path, film.bytes());
console.log(`${path}: ${statSync(path).size} bytes, ${film.length} frames, ${film.seconds} seconds`);
