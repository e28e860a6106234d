// Scripts that leave the page: in links, folders and the files that they write.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { examples, outcome, runToEnd, type } from "./page.mjs";

// Returns the files of an archive without compression.
function unzip(bytes) {
  const files = [];
  for (let at = 0; bytes.readUInt32LE(at) === 0x04034b50; ) {
    const [size, name, extra] = [bytes.readUInt32LE(at + 22), bytes.readUInt16LE(at + 26), bytes.readUInt16LE(at + 28)];
    const from = at + 30 + name + extra;
    files.push([bytes.toString("utf8", at + 30, at + 30 + name), bytes.subarray(from, from + size)]);
    at = from + size;
  }
  return files;
}

const saved = async (page, click) => {
  const [download] = await Promise.all([page.waitForEvent("download"), click()]);
  return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
};

export const tests = {
  async "an exported folder runs with the command: the same answer, the same cost"({ visit, inFolder, native }) {
    const page = await visit();
    for (const id of ["plugin", "strings", "wasi", "limits", "traps"]) {
      await page.selectOption("#examples", id);
      const here = await runToEnd(page);
      const { name, bytes } = await saved(page, () => page.click("#export"));
      assert.equal(name, `${id}.zip`);
      const files = unzip(bytes);
      inFolder(files, (folder) => {
        const there = native(join(folder, id));
        assert.equal(there.output, here.output, id);
        assert.deepEqual([there.stats.fuel, there.stats.ticks], [here.fuel, here.ticks], id);
        // The command prints what the folder says.
        const told = files.find(([path]) => path === `${id}/README.txt`)[1].toString();
        assert.ok(told.includes(JSON.stringify(there.stats)), `${id}: ${told}`);
      });
    }
  },

  async "a module of bytes leaves in a folder as it is"({ visit }) {
    const page = await visit();
    const module = Buffer.from("0061736d0100000001070160027f7f017f030201000707010361646400000a09010700200020016a0b", "hex");
    await page.setInputFiles("#open", { name: "ä.wasm", mimeType: "application/wasm", buffer: module });
    await page.waitForSelector("#binary h3");
    const { bytes } = await saved(page, () => page.click("#export"));
    const found = unzip(bytes).find(([path]) => path === "plugin/ä.wasm");
    assert.ok(module.equals(found[1]));
  },

  async "a link holds script and modules, and runs elsewhere as here"({ visit }) {
    const page = await visit();
    const module = Buffer.from("0061736d0100000001070160027f7f017f030201000707010361646400000a09010700200020016a0b", "hex");
    await page.setInputFiles("#open", { name: "add.wasm", mimeType: "application/wasm", buffer: module });
    await type(page, "# ünïcödé\nprint(wasm.instantiate('add.wasm').exports.add(40, 2), wasm.Module('plugin.wat'))\n");
    const here = await runToEnd(page);
    assert.equal(here.output, "42 <wasm.Module>\n");
    await page.click("#share");
    await page.waitForSelector("#message[open]");
    const link = await page.inputValue("#message-link");
    const other = await visit({ fragment: new URL(link).hash });
    const there = await runToEnd(other);
    assert.deepEqual(there, here);
    return `${link.length} characters`;
  },

  async "a damaged link is told of"({ visit }) {
    const page = await visit({ fragment: "#1AAAA" });
    await page.waitForSelector("#message[open]");
    assert.equal(await page.textContent("#message-title"), "The link is damaged");
    await page.click("#message button");
    assert.equal((await runToEnd(page)).state, "done");
  },

  async "what is too large for a link is told of"({ visit }) {
    const page = await visit();
    // Bytes that cannot be compressed.
    let word = 1;
    const noise = Buffer.from(Array.from({ length: 100_000 }, () => (word = (word * 48271) % 2147483647) & 255));
    await page.setInputFiles("#open", { name: "noise.bin", mimeType: "application/octet-stream", buffer: noise });
    await page.click("#share");
    await page.waitForSelector("#message[open]");
    assert.equal(await page.textContent("#message-title"), "Too large for a link");
  },

  async "files that a script writes are downloads"({ visit }) {
    const page = await visit({ fragment: "#wasi" });
    await runToEnd(page);
    const { name, bytes } = await saved(page, () => page.click("#printed .written a"));
    assert.equal(name, "POEM.TXT");
    assert.equal(bytes.toString(), readFileSync(join(examples, "wasi/poem.txt"), "utf8").toUpperCase());
    assert.equal((await outcome(page)).state, "done");
  },
};
