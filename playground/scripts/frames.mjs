// Times the frames of an example in Node, without a page: node scripts/frames.mjs [EXAMPLE] [FRAMES] [ENGINE.wasm]
//
// To see where the time goes, use an engine with a name section and `node --cpu-prof`.

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { Engine } from "../src/engine.mjs";

const home = fileURLToPath(new URL("..", import.meta.url));
const [id = "doom", count = "200", path] = process.argv.slice(2);
const { modules = [] } = JSON.parse(readFileSync(join(home, "examples/index.json"))).find((example) => example.id === id);
const files = [
  ...readdirSync(join(home, "examples", id)).map((name) => [name, readFileSync(join(home, "examples", id, name))]),
  ...modules.map((name) => [name, readFileSync(join(home, "../examples/real/modules", name))]),
];
const module = new WebAssembly.Module(path ? readFileSync(path) : gunzipSync(readFileSync(join(home, "dist/engine.bin"))));
const engine = new Engine(module, { write() {}, progress() {} });
engine.serve({ do: "files", files: files.map(([name, { length }]) => ({ name, length })) }, new Uint8Array(Buffer.concat(files.map(([, content]) => content))));

const timed = (head) => {
  const from = process.cpuUsage();
  const reply = engine.serve(head);
  const { user, system } = process.cpuUsage(from);
  if (reply.head.error || reply.head.refused) throw new Error(reply.head.refused ?? reply.head.error.report);
  return { milliseconds: (user + system) / 1000, fuel: reply.head.stats.fuel };
};

const start = timed({ do: "run", name: "main.star" });
const frames = Array.from({ length: Number(count) }, (_, index) => timed({ do: "frame", milliseconds: index * 29, events: [] }));
const late = frames.slice(frames.length >> 1);
const mean = late.reduce((sum, { milliseconds }) => sum + milliseconds, 0) / late.length;
const sorted = late.map(({ milliseconds }) => milliseconds).sort((one, other) => one - other);
const fuel = (late.at(-1).fuel - frames[(frames.length >> 1) - 1].fuel) / late.length;
console.log(`start: ${start.milliseconds.toFixed(0)} ms of processor, ${start.fuel} fuel`);
console.log(`the second half of ${count} frames: ${mean.toFixed(1)} ms of processor each (median ${sorted[sorted.length >> 1].toFixed(1)}), ${Math.round(fuel)} fuel: ${(1000 / mean).toFixed(1)} frames a second, ${(fuel / mean / 1000).toFixed(0)} million units of fuel a second`);
