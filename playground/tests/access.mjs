// The page for everybody: keyboards, screen readers, contrast, phones, no network, and no other server.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { dist, runToEnd } from "./page.mjs";

// Returns the contrast of two colours, given as rgb(…), as WCAG defines it.
function contrast(one, other) {
  const luminance = (colour) => {
    const [r, g, b] = colour.match(/[\d.]+/g).map((channel) => {
      const share = Number(channel) / 255;
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

// Returns every visible text with its colour and its background.
const texts = (page) =>
  page.evaluate(() => {
    const background = (element) => {
      for (let at = element; at; at = at.parentElement) {
        const colour = getComputedStyle(at).backgroundColor;
        if (!/^rgba\(.*, 0\)$|^transparent$/.test(colour)) return colour;
      }
      return "rgb(255, 255, 255)";
    };
    const found = new Map();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const element = walker.currentNode.parentElement;
      if (!walker.currentNode.textContent.trim() || !element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true })) continue;
      if (element.closest("option, :disabled, .skip") || !element.getClientRects().length) continue;
      const pair = [getComputedStyle(element).color, background(element)];
      found.set(pair.join(), [...pair, `${element.tagName}.${element.className} “${walker.currentNode.textContent.trim().slice(0, 30)}”`]);
    }
    return [...found.values()];
  });

export const tests = {
  async "texts have the contrast that WCAG AA asks for, light and dark"({ visit }) {
    let least = Infinity;
    for (const colorScheme of ["light", "dark"]) {
      const page = await visit({ colorScheme, fragment: "#traps" });
      await runToEnd(page);
      for (const tab of ["#tab-output", "#tab-memory"]) {
        await page.click(tab);
        for (const [colour, on, where] of await texts(page)) {
          const found = contrast(colour, on);
          // Zero bytes are faint on purpose.
          const most = / “00”|zero/.test(where) ? 2.4 : 4.5;
          assert.ok(found >= most, `${colorScheme}: ${where}: ${colour} on ${on} is ${found.toFixed(2)}`);
          if (most > 3) least = Math.min(least, found);
        }
      }
    }
    return `at least ${least.toFixed(2)}`;
  },

  async "all that can be operated has a name, and the keyboard reaches it"({ visit }) {
    const page = await visit({ fragment: "#strings" });
    await runToEnd(page);
    await page.click("#tab-memory");
    const session = await page.context().newCDPSession(page);
    const { nodes } = await session.send("Accessibility.getFullAXTree");
    const operated = new Set(["button", "textbox", "searchbox", "combobox", "tab", "link", "application", "log"]);
    const bare = nodes.filter(({ ignored, role, name }) => !ignored && operated.has(role?.value) && !name?.value);
    assert.deepEqual(bare.map(({ role, backendDOMNodeId }) => `${role.value} ${backendDOMNodeId}`), []);
    const names = nodes.filter(({ role }) => operated.has(role?.value)).map(({ name }) => name.value);
    for (const name of ["Run", "Stop", "Share", "Export", "main.star", "Example"]) assert.ok(names.some((found) => found.includes(name)), `${name} of ${names.join(", ")}`);
    // From the top of the page, Tab reaches the hexdump. It leaves the editor after Escape.
    await page.focus("#examples");
    const reached = new Set();
    for (let step = 0; step < 40; step++) {
      await page.keyboard.press("Escape");
      await page.keyboard.press("Tab");
      reached.add(await page.evaluate(() => document.activeElement.id || document.activeElement.className));
    }
    for (const id of ["run", "share", "export", "theme", "script-editor-content", "add", "tab-memory", "memories", "address", "hexdump"]) {
      assert.ok(reached.has(id), `${id} is not among ${[...reached].join(", ")}`);
    }
  },

  async "the theme can be chosen, and is kept"({ visit }) {
    const page = await visit();
    const back = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await back();
    await page.click("#theme");
    await page.click("#theme");
    assert.equal(await page.getAttribute("#theme", "aria-label"), "Theme: dark");
    const dark = await back();
    assert.notEqual(light, dark);
    await page.reload();
    assert.equal(await back(), dark);
  },

  async "on a phone, each view fits the width"({ visit }) {
    const page = await visit({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
    await page.tap("#run");
    await page.waitForFunction(() => document.querySelector("#state").textContent === "done");
    assert.ok(await page.isVisible("#printed"));
    for (const view of ["script", "modules", "output", "memory"]) {
      await page.tap(`.views [data-view=${view}]`);
      const [wide, most] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      assert.ok(wide <= most, `${view} is ${wide} wide, of ${most}`);
      const shown = { script: "#script-editor", modules: "#module-editor", output: "#log", memory: "#hexdump" };
      for (const [name, id] of Object.entries(shown)) assert.equal(await page.isVisible(id), name === view, `${id} in ${view}`);
    }
    const small = await page.evaluate(() => [...document.querySelectorAll("header button, .views button")].filter((button) => button.checkVisibility() && button.getBoundingClientRect().height < 28).length);
    assert.equal(small, 0);
  },

  async "it works offline once loaded"({ visit }) {
    const page = await visit();
    await page.evaluate(async () => {
      await navigator.serviceWorker.ready;
      while (!navigator.serviceWorker.controller) await new Promise((resolve) => setTimeout(resolve, 50));
    });
    await page.context().setOffline(true);
    await page.reload();
    await page.waitForSelector("html[data-ready]");
    assert.equal((await runToEnd(page)).state, "done");
  },

  async "nothing is asked of another host, and the policy forbids it"({ visit }) {
    const page = await visit();
    await runToEnd(page);
    assert.deepEqual(page.faults, []);
    const refused = await page.evaluate(() => new Promise((resolve) => {
      addEventListener("securitypolicyviolation", (event) => resolve(event.effectiveDirective), { once: true });
      fetch("https://example.com/").catch(() => {});
    }));
    assert.equal(refused, "connect-src");
    const policy = await page.getAttribute("meta[http-equiv]", "content");
    // CodeMirror sets `style` attributes. No style or script element comes from the text of the page.
    assert.ok(!/https?:|\*|unsafe-inline|'unsafe-eval'/.test(policy.replace("style-src-attr 'unsafe-inline'", "")), policy);
  },

  async "it loads in under two megabytes, compressed"() {
    let all = 0;
    for (const name of readdirSync(dist, { withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => entry.name)) {
      const bytes = readFileSync(join(dist, name));
      all += Math.min(bytes.length, gzipSync(bytes).length);
    }
    assert.ok(all < 2_000_000, `${all} bytes`);
    return `${all} bytes`;
  },

  async "an engine that cannot be loaded is told of"({ browser, url }) {
    const context = await browser.newContext({ serviceWorkers: "block" });
    const page = await context.newPage();
    await page.route("**/engine.bin", (route) => route.fulfill({ status: 404 }));
    await page.goto(url);
    await page.waitForSelector("#message[open]");
    assert.match(await page.textContent("#message-text"), /engine\.bin/);
  },
};
