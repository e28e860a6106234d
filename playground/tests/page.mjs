// The page in a headless browser, for tests and pictures.

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { serve } from "../scripts/serve.mjs";

export const dist = fileURLToPath(new URL("../dist", import.meta.url));
export const examples = fileURLToPath(new URL("../examples", import.meta.url));

// The browser: CHROMIUM, or the first one in the path.
function browserPath() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  for (const name of ["chromium", "chromium-browser", "google-chrome"]) {
    try {
      return execFileSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim();
    } catch {
      // Tries the next one.
    }
  }
  throw new Error("no chromium in the path; CHROMIUM names one");
}

export async function open() {
  const { server, asked, port } = await serve(dist);
  const browser = await chromium.launch({ executablePath: browserPath(), args: ["--no-sandbox", "--disable-quic"] });
  const url = `http://127.0.0.1:${port}/`;
  const close = async () => {
    await browser.close();
    server.closeAllConnections();
    server.close();
  };
  return { browser, url, asked, close };
}

// Opens a page, and waits for the engine. `page.faults` has the page's requests to other hosts, and its errors.
export async function visit(browser, url, { fragment = "", ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, acceptDownloads: true, ...options });
  const page = await context.newPage();
  page.faults = [];
  page.on("pageerror", (error) => page.faults.push(`error: ${error.message}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(url) && !/^(blob|data):/.test(request.url())) page.faults.push(`request: ${request.url()}`);
  });
  page.setDefaultTimeout(60_000);
  await page.goto(url + fragment);
  await page.waitForSelector("html[data-ready]", { timeout: 120_000 });
  return page;
}

// Replaces the text of an editor.
export async function type(page, text, editor = "#script-editor") {
  await page.click(`${editor} .cm-content`);
  await page.keyboard.press("Control+a");
  await page.keyboard.insertText(text);
}

export async function runToEnd(page, timeout = 60_000) {
  await page.click("#run");
  await page.waitForFunction(() => !document.querySelector("#run").disabled, undefined, { timeout });
  return outcome(page);
}

export async function outcome(page) {
  return page.evaluate(() => {
    const text = (id) => document.getElementById(id).textContent;
    const number = (id) => Number(text(id).replaceAll(",", ""));
    return {
      state: text("state"),
      output: [...document.querySelectorAll("#printed pre.out")].map((part) => part.textContent).join(""),
      error: document.querySelector("#printed .error")?.textContent ?? null,
      fuel: number("fuel"),
      ticks: number("ticks"),
      peak: text("peak"),
    };
  });
}
