// Builds the page into dist: node scripts/build.mjs [--page]
//
//   --page          builds only the page, and keeps the engine in dist
//   ENGINE=FILE     uses this wasm32 build of playground/engine, and does not call cargo
//
// Any static file server can serve dist.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import zopfli from "@gfx/zopfli";
import * as esbuild from "esbuild";

const home = fileURLToPath(new URL("..", import.meta.url));
const root = join(home, "..");
const dist = join(home, "dist");
const run = (command, args, options = {}) => execFileSync(command, args, { cwd: root, stdio: "inherit", ...options });

// The features of WebAssembly that rustc uses beyond the first version.
const FEATURES = ["bulk-memory", "bulk-memory-opt", "call-indirect-overlong", "multivalue", "mutable-globals", "nontrapping-float-to-int", "reference-types", "sign-ext"];

// Without tail calls: LLVM makes jumps of most calls in tail position, but not of all, and a guest's loop would overflow the stack.
async function engine() {
  let built = process.env.ENGINE;
  if (!built) {
    const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
    run("cargo", ["rustc", "--package", "wasmlark-playground", "--crate-type", "cdylib", "--profile", "small", "--target", "wasm32-unknown-unknown"]);
    built = join(target, "wasm32-unknown-unknown/small/wasmlark_playground.wasm");
  }
  const optimised = join(dist, "engine.wasm");
  run("node", [join(home, "node_modules/binaryen/bin/wasm-opt"), "-Oz", ...FEATURES.map((feature) => `--enable-${feature}`), "--strip-debug", "--strip-producers", "--strip-target-features", built, "-o", optimised]);
  // Compressed here, so that it is small whatever the server does: seven per cent smaller than with zlib.
  const packed = await zopfli.gzipAsync(readFileSync(optimised), { numiterations: 3 });
  writeFileSync(join(dist, "engine.bin"), packed);
  const raw = statSync(optimised).size;
  rmSync(optimised);
  return raw;
}

// The examples in the order of their index. `modules` are of third parties, and copied if examples/real has them.
function examples() {
  const index = JSON.parse(readFileSync(join(home, "examples/index.json")));
  return index.map(({ id, title, modules = [] }) => {
    const folder = join(home, "examples", id);
    const names = readdirSync(folder).sort((one, other) => (other === "main.star") - (one === "main.star") || (one < other ? -1 : 1));
    const files = names.map((name) => [name, readFileSync(join(folder, name), "utf8")]);
    let isMissing = false;
    for (const name of modules) {
      const module = join(root, "examples/real/modules", name);
      if (existsSync(module)) {
        mkdirSync(join(dist, "modules"), { recursive: true });
        copyFileSync(module, join(dist, "modules", name));
      } else {
        isMissing = true;
        console.warn(`${id}: examples/real/modules has no ${name}; \`python3 examples/real/fetch.py ${name.replace(".wasm", "")}\` fetches it`);
      }
    }
    return { id, title, files, ...(modules.length ? { fetched: modules, isMissing } : {}) };
  });
}

mkdirSync(dist, { recursive: true });
const isPageOnly = process.argv.includes("--page");
if (isPageOnly && !existsSync(join(dist, "engine.bin"))) throw new Error("dist has no engine yet: build without --page");
const raw = isPageOnly ? undefined : await engine();

const common = { bundle: true, minify: true, format: "esm", target: "es2022", legalComments: "none", logLevel: "warning" };
await esbuild.build({ ...common, entryPoints: { main: join(home, "src/main.mjs"), worker: join(home, "src/worker.mjs") }, outdir: dist });
await esbuild.build({ ...common, entryPoints: [join(home, "src/style.css")], outfile: join(dist, "style.css") });
for (const name of ["index.html", "icon.svg"]) copyFileSync(join(home, "src", name), join(dist, name));
writeFileSync(join(dist, "examples.json"), JSON.stringify(examples()));

const files = ["index.html", "icon.svg", "style.css", "main.js", "worker.js", "examples.json", "engine.bin"];
const hash = createHash("sha256");
for (const name of files) hash.update(readFileSync(join(dist, name)));
await esbuild.build({
  ...common, entryPoints: [join(home, "src/sw.mjs")], outfile: join(dist, "sw.js"),
  define: { VERSION: JSON.stringify(hash.digest("hex").slice(0, 16)), FILES: JSON.stringify(["./", ...files.slice(1)]) },
});

let all = 0;
for (const name of [...files, "sw.js"]) {
  const bytes = readFileSync(join(dist, name));
  // engine.bin is already compressed.
  const small = name === "engine.bin" ? bytes.length : Math.min(bytes.length, gzipSync(bytes, { level: 9 }).length);
  all += small;
  console.log(`${name.padEnd(14)} ${String(bytes.length).padStart(8)} bytes, ${String(small).padStart(8)} compressed`);
}
if (raw) console.log(`engine.bin unpacks to ${raw} bytes`);
console.log(`${all} bytes compressed in total`);
