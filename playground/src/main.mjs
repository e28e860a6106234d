// The page.

import { Client, Stopped } from "./client.mjs";
import { Editor } from "./editor.mjs";
import { folder } from "./folder.mjs";
import { MemoryView, typed } from "./memory.mjs";
import { MOST_LINK, decode, encode } from "./share.mjs";
import { Screen } from "./screen.mjs";
import { starlark } from "./starlark.mjs";
import { wat } from "./wat.mjs";
import { zip } from "./zip.mjs";

const MAIN = "main.star";
// Only this much of a memory is shown.
const MOST_MEMORY = 64 << 20;

const $ = (id) => document.getElementById(id);
const make = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};
const number = (value) => value.toLocaleString("en");
const size = (bytes) => {
  for (const [unit, one] of [["MiB", 1 << 20], ["KiB", 1 << 10]]) {
    if (bytes >= one) return `${number(Math.round((bytes / one) * 10) / 10)} ${unit}`;
  }
  return `${bytes} bytes`;
};

// The files by name: scripts and WAT as text, others as bytes. The first one is the script that is run.
let files = new Map([[MAIN, ""]]);
let title = "script";
let runner, tools, screen, memoryView;
// Resolves when the engine is ready, and with it `runner` and `tools`.
let isLoaded;
const loaded = new Promise((resolve) => (isLoaded = resolve));
let checked = [];
let lastRun = null;
// The content of each memory, by name: now, and before the last run or call.
let memories = new Map();

const isText = (name) => /\.(star|wat|txt|md|json|csv)$/.test(name);

const editorTools = {
  async complete(name, line, column) {
    await loaded;
    await tools.files(files);
    const { head } = await tools.request({ do: "complete", name, line, column });
    return head.names ?? [];
  },
  async describe(name, line, column) {
    await loaded;
    await tools.files(files);
    const { head } = await tools.request({ do: "describe", name, line, column });
    return head.markdown;
  },
};
const languages = (name) => (name.endsWith(".star") ? starlark() : name.endsWith(".wat") ? wat() : []);
const onChange = (name, text) => {
  files.set(name, text);
  lastRun = null;
  checkSoon();
};
const scriptEditor = new Editor($("script-editor"), { languages, tools: editorTools, changed: onChange });
const fileEditor = new Editor($("module-editor"), { languages, tools: editorTools, changed: onChange });

// ---- Views: tabs on the right, and one view at a time on a narrow screen.

function view(name) {
  document.documentElement.dataset.view = name;
  for (const button of document.querySelectorAll(".views button")) button.setAttribute("aria-current", button.dataset.view === name);
  if (!["output", "screen", "memory"].includes(name)) return;
  for (const tab of document.querySelectorAll(".tabs [role=tab]")) {
    const isChosen = tab.dataset.view === name;
    tab.setAttribute("aria-selected", isChosen);
    tab.tabIndex = isChosen ? 0 : -1;
    $(tab.dataset.view).hidden = !isChosen;
  }
  if (name === "memory") showMemory();
}

for (const button of document.querySelectorAll("[data-view]")) {
  if (button.tagName === "BUTTON") button.addEventListener("click", () => view(button.dataset.view));
}
arrows(document.querySelector(".tabs [role=tablist]"));
arrows($("files"));

// The arrow keys move between the tabs of a list.
function arrows(list) {
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const tabs = [...list.querySelectorAll("[role=tab]:not([hidden])")];
    if (!step || !tabs.length) return;
    const to = tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length];
    to.focus();
    to.click();
    event.preventDefault();
  });
}

// ---- Files.

function setFiles(next, name) {
  files = next;
  if (!files.has(MAIN)) files.set(MAIN, "");
  title = name;
  lastRun = null;
  scriptEditor.keep([]);
  fileEditor.keep([]);
  scriptEditor.show(MAIN, files.get(MAIN));
  const others = [...files.keys()].filter((other) => other !== MAIN);
  choose(others[0] ?? null);
  checkSoon();
}

function choose(name) {
  const others = [...files.keys()].filter((other) => other !== MAIN);
  document.documentElement.toggleAttribute("data-files", others.length > 0);
  $("files").replaceChildren(...others.map((other) => {
    const isChosen = other === name;
    const tab = make("button", { role: "tab", textContent: other, tabIndex: isChosen ? 0 : -1, onclick: () => choose(other) });
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-selected", isChosen);
    const close = make("button", { className: "close", textContent: "×", title: `Remove ${other}`, onclick: () => remove(other) });
    close.setAttribute("aria-label", `Remove ${other}`);
    return make("span", { className: "file" }, tab, close);
  }));
  $("no-files").hidden = others.length > 0;
  const content = files.get(name);
  const isShown = typeof content === "string";
  $("module-editor").hidden = !isShown;
  $("binary").hidden = name === null || isShown;
  if (isShown) fileEditor.show(name, content);
  else if (name !== null) describe(name);
}

function remove(name) {
  files.delete(name);
  lastRun = null;
  choose([...files.keys()].find((other) => other !== MAIN) ?? null);
  checkSoon();
}

// Describes a module that is not text.
async function describe(name) {
  const into = $("binary");
  into.replaceChildren(make("p", { textContent: `${name}, ${size(files.get(name).length)}` }));
  if (!name.endsWith(".wasm")) return;
  await loaded;
  await tools.files(files);
  const { head } = await tools.request({ do: "inspect", name });
  const list = (heading, items) => items?.length
    ? [make("h3", { textContent: heading }), make("ul", {}, ...items.map((item) => make("li", {}, make("code", { textContent: item }))))]
    : [];
  into.append(...(head.error ? [make("p", { className: "error", textContent: head.error })] : []));
  into.append(...list("Imports", head.imports), ...list("Exports", head.exports));
}

async function addFiles(chosen) {
  let last = null;
  for (const file of chosen) {
    const bytes = new Uint8Array(await file.arrayBuffer());
    last = file.name;
    files.set(file.name, isText(file.name) ? new TextDecoder().decode(bytes) : bytes);
  }
  lastRun = null;
  if (last === MAIN) scriptEditor.show(MAIN, files.get(MAIN));
  else if (last) {
    choose(last);
    if (matchMedia("(max-width: 760px)").matches) view("modules");
  }
  checkSoon();
}

$("open").addEventListener("change", (event) => {
  addFiles(event.target.files);
});
$("add").addEventListener("click", () => {
  let count = 1;
  while (files.has(`module${count}.wat`)) count++;
  const name = prompt("Name of the file, such as plugin.wat, lib.star or data.txt", `module${count}.wat`)?.trim();
  if (!name) return;
  if (!files.has(name)) files.set(name, name.endsWith(".wat") ? '(module\n  (memory (export "memory") 1)\n  (func (export "add") (param i32 i32) (result i32)\n    (i32.add (local.get 0) (local.get 1))))\n' : "");
  if (name !== MAIN) choose(name);
  checkSoon();
});
addEventListener("dragover", (event) => {
  event.preventDefault();
  document.documentElement.toggleAttribute("data-drop", true);
});
addEventListener("dragleave", (event) => event.relatedTarget ?? document.documentElement.removeAttribute("data-drop"));
addEventListener("drop", (event) => {
  event.preventDefault();
  document.documentElement.removeAttribute("data-drop");
  addFiles(event.dataTransfer.files);
});

// ---- Checks, while the user types.

let checkTimer;
function checkSoon() {
  clearTimeout(checkTimer);
  checkTimer = setTimeout(check, 200);
}

async function check() {
  if (!tools || tools.isBusy) return checkSoon();
  try {
    await tools.files(files);
    const script = await tools.request({ do: "check", name: MAIN });
    checked = script.head.found ?? [];
    const here = checked.filter(({ place }) => place.file === MAIN);
    scriptEditor.diagnose(here);
    const problems = checked.length;
    $("problems").textContent = problems ? `${problems} problem${problems > 1 ? "s" : ""}` : "";
    const { name } = fileEditor;
    if (name && typeof files.get(name) === "string") {
      const { head } = await tools.request({ do: "check", name });
      if (fileEditor.name === name) fileEditor.diagnose(head.found?.filter(({ place }) => place.file === name) ?? watProblems(head));
    }
  } catch (error) {
    if (!(error instanceof Stopped)) console.error(error);
  }
}

// A message about the text of a module has a place, ` --> name:3:14`. One about an invalid module has none.
function watProblems({ error }) {
  if (!error) return [];
  const found = /--> .*:(\d+):(\d+)$/m.exec(error);
  const at = { line: Number(found?.[1] ?? 1), column: Number(found?.[2] ?? 1) };
  const message = found ? error.split("\n")[0] : error;
  return [{ severity: "error", rule: "module", message, place: at, end: { ...at, column: at.column + 1 } }];
}

// ---- Runs.

function state(text, kind = "") {
  $("state").textContent = text;
  $("state").className = kind;
}

function cost({ fuel, ticks, memory }, began) {
  $("fuel").textContent = number(fuel ?? 0);
  $("ticks").textContent = number(ticks);
  $("peak").textContent = size(memory);
  if (began !== undefined) $("time").textContent = `${number(Math.round(performance.now() - began))} ms`;
}

let began, droppedBytes, clock;

function received(data) {
  if (data.written) {
    for (const [stream, text] of data.written) append(text, stream === 1 ? "err" : "");
    if (data.dropped) {
      droppedBytes = data.dropped;
      $("cut").hidden = false;
      $("cut").textContent = `… and ${number(droppedBytes)} bytes more, which are not shown`;
    }
  }
  if (data.spent) cost(data.spent, began);
}

function append(text, className) {
  const log = $("log");
  const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  const last = $("printed").lastChild;
  const name = `out ${className}`.trim();
  if (last?.className === name) last.append(text);
  else $("printed").append(make("pre", { className: name, textContent: text }));
  if (isAtEnd) log.scrollTop = log.scrollHeight;
}

function busy(isBusy) {
  $("run").disabled = isBusy;
  $("stop").disabled = !isBusy;
  if (isBusy) $("statement").disabled = true;
  else session(true);
  clearInterval(clock);
  if (isBusy) {
    began = performance.now();
    clock = setInterval(() => ($("time").textContent = `${number(Math.round(performance.now() - began))} ms`), 100);
  }
}

// Without a session, there is nothing to evaluate a statement in.
function session(isThere) {
  $("statement").disabled = !isThere;
  $("statement").placeholder = isThere ? "evaluate in the session" : "run a script, then evaluate here";
}

async function run() {
  if (!runner || $("run").disabled) return;
  screen.stop();
  scriptEditor.fail(null);
  fileEditor.name && fileEditor.fail(null);
  $("printed").replaceChildren();
  $("cut").hidden = true;
  droppedBytes = 0;
  cost({ fuel: 0, ticks: 0, memory: 0 });
  busy(true);
  state("running…", "busy");
  if (matchMedia("(max-width: 760px)").matches || document.documentElement.dataset.view === "screen") view("output");
  try {
    if (runner.isBusy) runner.stop();
    await runner.files(files);
    await ended(await runner.request({ do: "run", name: MAIN }), true);
  } catch (error) {
    lost(error);
  }
}

// Shows how a run or a statement ended.
async function ended({ head, body }, isRun) {
  const { value, error, stats, draws, memories: listed, files: written, refused } = head;
  busy(false);
  if (refused) {
    state(refused, "failed");
    return;
  }
  cost(stats, began);
  if (isRun) lastRun = { stats, failed: error !== null };
  if (value !== null) $("printed").append(make("p", { className: "value" }, make("span", { textContent: "→ " }), value));
  if (error) fail(error);
  else state("done", "done");
  let at = 0;
  for (const { name, length } of written) {
    const url = URL.createObjectURL(new Blob([body.subarray(at, at + length)]));
    at += length;
    $("printed").append(make("p", { className: "written" }, "wrote ", make("a", { href: url, download: name.split("/").pop(), textContent: name }), `, ${size(length)}`));
  }
  await snapshot(listed);
  for (const element of document.querySelectorAll("button[data-view=screen]")) element.hidden = !draws;
  if (isRun && draws && !error) {
    view("screen");
    $("canvas").focus({ preventScroll: true });
    screen.start();
  }
  if (screen.isRunning) {
    $("stop").disabled = false;
    state("drawing", "busy");
  }
  const log = $("log");
  log.scrollTop = log.scrollHeight;
}

function fail(error) {
  if (error.kind === "exit") {
    state(`exited with code ${error.exitCode}`, "failed");
    return;
  }
  state(error.kind === "limit" ? "a limit ended it" : error.kind === "trap" ? "trapped" : "failed", "failed");
  // Lines of the source are not wrapped, since the marks below them would be out of place.
  const lines = error.report.split(/(?<=\n)/).map((line) => (/^(error|note|warning): /.test(line) ? make("span", { className: "message", textContent: line }) : line));
  const report = make("pre", { className: "error" }, ...lines);
  $("printed").append(report);
  const { place } = error;
  if (!place) return;
  if (place.file === MAIN) scriptEditor.fail(error);
  else if (place.file === fileEditor.name) fileEditor.fail(error);
  if (place.file === MAIN || typeof files.get(place.file) === "string") {
    report.after(make("button", {
      className: "go", textContent: `Go to ${place.file}:${place.line}`,
      onclick: () => {
        if (place.file !== MAIN) choose(place.file);
        view(place.file === MAIN ? "script" : "modules");
        (place.file === MAIN ? scriptEditor : fileEditor).go(place);
      },
    }));
  }
}

// After a stop or a failure of the worker, there is no session.
function lost(error) {
  busy(false);
  session(false);
  if (error instanceof Stopped) {
    state("stopped", "failed");
    return;
  }
  state("the engine failed, and was started anew", "failed");
  const text = /stack/i.test(error.message)
    ? "The browser's stack is used up: calls are nested deeper than it allows. The command has a larger stack."
    : error.message;
  $("printed").append(make("pre", { className: "error plain", textContent: text }));
}

function stop() {
  if (screen.isRunning) {
    screen.stop();
    $("stop").disabled = true;
    state("stopped", "failed");
    showMemoryNow();
    return;
  }
  if (runner?.isBusy) runner.stop();
}

$("run").addEventListener("click", run);
$("stop").addEventListener("click", stop);
addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey)) return;
  if (event.key === "Enter") {
    run();
    event.preventDefault();
    event.stopPropagation();
  } else if (event.key === ".") {
    stop();
    event.preventDefault();
  }
}, true);

// ---- Statements in the session.

const statements = [];
let recalled = 0;
$("console").addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = $("statement").value.trim();
  if (!text || $("run").disabled) return;
  statements.push(text);
  recalled = statements.length;
  $("statement").value = "";
  $("printed").append(make("p", { className: "statement" }, make("span", { textContent: ">>> " }), text));
  busy(true);
  state("running…", "busy");
  try {
    await ended(await runner.request({ do: "eval", text }), false);
  } catch (error) {
    lost(error);
  }
  $("statement").focus();
});
$("statement").addEventListener("keydown", (event) => {
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (!step) return;
  recalled = Math.min(Math.max(0, recalled + step), statements.length);
  event.target.value = statements[recalled] ?? "";
  event.preventDefault();
});

// ---- Memories.

// Copies each memory, and keeps the previous copy to find the changes.
async function snapshot(listed) {
  const next = new Map();
  for (const { name, size: length } of listed) {
    const { head, body } = await runner.request({ do: "memory", name, offset: 0, length: Math.min(length, MOST_MEMORY) });
    if (head.refused) continue;
    const old = memories.get(name)?.bytes;
    let before = null;
    if (old) {
      // New pages of a memory count as zero before.
      before = new Uint8Array(body.length);
      before.set(old.subarray(0, body.length));
    }
    next.set(name, { bytes: body, before, length });
  }
  memories = next;
  const chosen = $("memories").value;
  $("memories").replaceChildren(...[...next].map(([name, { length }]) => make("option", { value: name, textContent: `${name}, ${size(length)}` })));
  if (next.has(chosen)) $("memories").value = chosen;
  showMemory();
}

function showMemory() {
  const memory = memories.get($("memories").value);
  $("no-memory").hidden = memories.size > 0;
  $("memory").classList.toggle("empty", memories.size === 0);
  if ($("memory").hidden) return;
  memoryView.show(memory?.bytes ?? new Uint8Array(), memory?.before ?? null);
}

// While frames are drawn, the memory in view is kept up to date.
async function showMemoryNow() {
  if (runner.isBusy && !screen.isRunning) return;
  const listed = [...memories].map(([name, { length }]) => ({ name, size: length }));
  try {
    await snapshot(listed);
  } catch (error) {
    if (!(error instanceof Stopped)) console.error(error);
  }
}
setInterval(() => {
  if (screen?.isRunning && !$("memory").hidden) showMemoryNow();
}, 500);

$("memories").addEventListener("change", showMemory);
$("goto").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("address").value.trim();
  const address = /^(0x[\da-f]+|\d+)$/i.test(text) ? Number(text) : NaN;
  const isInside = address < memoryView.size;
  $("address").setAttribute("aria-invalid", !isInside);
  if (!isInside) return;
  memoryView.go(address);
  $("hexdump").focus();
});
$("next-change").addEventListener("click", () => memoryView.nextChange());

function showTyped(bytes, at, before) {
  const rows = bytes.length ? typed(bytes, at) : [];
  $("typed").replaceChildren(...rows.map(([name, text]) => {
    const value = make("dd", { textContent: text });
    const pointer = Number(text);
    if (name === "u32" && pointer > 0 && pointer < bytes.length) {
      value.append(make("button", { className: "follow", textContent: "→", title: `Go to 0x${pointer.toString(16)}`, onclick: () => memoryView.go(pointer) }));
      value.lastChild.setAttribute("aria-label", `Go to the address ${pointer}`);
    }
    return make("div", {}, make("dt", { textContent: name }), value);
  }));
  const was = before === undefined ? "" : `, was ${before.toString(16).padStart(2, "0")}`;
  $("byte").textContent = bytes.length ? `0x${at.toString(16)} (${number(at)}): ${bytes[at].toString(16).padStart(2, "0")}${was}` : "";
}

// ---- Links, folders, examples, themes.

function say(heading, text, link) {
  $("message-title").textContent = heading;
  $("message-text").textContent = text;
  $("message-link").hidden = !link;
  $("message-link").value = link ?? "";
  $("message").showModal();
  if (link) $("message-link").select();
}

$("share").addEventListener("click", async () => {
  const fragment = await encode(files);
  if (fragment.length > MOST_LINK) {
    say("Too large for a link", `The files make a link of ${size(fragment.length)}; up to ${size(MOST_LINK)} work everywhere. Export saves them as a folder.`);
    return;
  }
  history.replaceState(null, "", fragment);
  let copied = "The address has it, too.";
  try {
    await navigator.clipboard.writeText(location.href);
    copied = "It has been copied.";
  } catch {
    // Without permission, the dialog shows the link.
  }
  say("Link", `This link holds the script and its ${files.size > 1 ? "files" : "text"}; nothing is sent anywhere. ${copied}`, location.href);
});

$("export").addEventListener("click", () => {
  const url = URL.createObjectURL(zip(folder(title, files, lastRun)));
  make("a", { href: url, download: `${title}.zip` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
});

let examples = [];

async function example(id) {
  const found = examples.find((one) => one.id === id);
  if (!found) return;
  const next = new Map(found.files);
  for (const name of found.fetched ?? []) {
    state(`loading ${name}…`, "busy");
    try {
      const response = await fetch(`modules/${name}`);
      if (!response.ok) throw new Error(response.statusText);
      next.set(name, new Uint8Array(await response.arrayBuffer()));
    } catch (error) {
      say(found.title, `${name} is not on this server: ${error.message}. It belongs to somebody else, and is put there when the page is built.`);
      state("ready");
      return;
    }
  }
  $("examples").value = id;
  stop();
  setFiles(next, id);
  reset();
  view("script");
}

// Forgets what the last script did.
function reset() {
  $("printed").replaceChildren();
  $("cut").hidden = true;
  cost({ fuel: 0, ticks: 0, memory: 0 });
  $("time").textContent = "0 ms";
  session(false);
  memories = new Map();
  $("memories").replaceChildren();
  showMemory();
  for (const element of document.querySelectorAll("button[data-view=screen]")) element.hidden = true;
  view("output");
  state("ready");
}

$("examples").addEventListener("change", (event) => example(event.target.value));

const THEMES = ["system", "light", "dark"];
function theme(name) {
  document.documentElement.dataset.theme = name;
  $("theme").replaceChildren("◐ ", make("span", { textContent: name }));
  $("theme").setAttribute("aria-label", `Theme: ${name}`);
  try {
    localStorage.setItem("theme", name);
  } catch {
    // If nothing can be stored, the theme lasts as long as the page.
  }
  memoryView?.show(...(memories.get($("memories").value) ? [memories.get($("memories").value).bytes, memories.get($("memories").value).before] : [new Uint8Array(), null]));
}
$("theme").addEventListener("click", () => theme(THEMES[(THEMES.indexOf(document.documentElement.dataset.theme) + 1) % THEMES.length]));
let stored = null;
try {
  stored = localStorage.getItem("theme");
} catch {
  // See above.
}
theme(THEMES.includes(stored) ? stored : "system");

// ---- The beginning.

// The engine file is compressed, so that it does not depend on the server.
async function engine() {
  const response = await fetch("engine.bin");
  if (!response.ok) throw new Error(`engine.bin: ${response.statusText}`);
  const stream = response.body.pipeThrough(new DecompressionStream("gzip"));
  return WebAssembly.compileStreaming(new Response(stream, { headers: { "content-type": "application/wasm" } }));
}

memoryView = new MemoryView({
  hexdump: $("hexdump"), map: $("map"), address: $("address"), typed: showTyped,
  changes(count, isKnown) {
    $("memory-note").textContent = isKnown ? `${number(count)} byte${count === 1 ? "" : "s"} changed` : "";
    $("next-change").disabled = count === 0;
    const memory = memories.get($("memories").value);
    if (memory && memory.length > MOST_MEMORY) $("memory-note").textContent += ` (the first ${size(MOST_MEMORY)} are shown)`;
  },
});
screen = new Screen({
  canvas: $("canvas"), rate: $("rate"), pause: $("pause"), keys: document.querySelectorAll("[data-key]"),
  request: (head) => runner.request(head),
  spent: (stats) => cost(stats),
  failed: (error) => {
    fail(error);
    $("stop").disabled = true;
    view("output");
  },
});

async function begin() {
  view("script");
  examples = await (await fetch("examples.json")).json();
  $("examples").replaceChildren(...examples.map(({ id, title: text, isMissing }) => make("option", { value: id, textContent: isMissing ? `${text} (not on this server)` : text, disabled: Boolean(isMissing) })));
  const module = engine();
  let shared = null, unfetched = null;
  try {
    shared = await decode(location.hash);
  } catch {
    say("The link is damaged", "It cannot be read, and may have been cut off. Here is the first example instead.");
  }
  if (shared) {
    $("examples").prepend(make("option", { value: "", textContent: "from a link" }));
    $("examples").value = "";
    setFiles(shared, "script");
  } else {
    const wanted = location.hash.slice(1);
    const first = examples.find(({ id }) => id === wanted) ?? examples[0];
    setFiles(new Map(first.files), first.id);
    if (first.fetched) unfetched = first.id;
    $("examples").value = first.id;
  }
  try {
    const compiled = await module;
    runner = new Client(compiled, received);
    tools = new Client(compiled);
  } catch (error) {
    state("the engine cannot be loaded", "failed");
    say("The engine cannot be loaded", `${error.message}. The page needs a browser of 2024 or later.`);
    return;
  }
  state("ready");
  isLoaded();
  if (unfetched) await example(unfetched);
  document.documentElement.dataset.ready = "";
  checkSoon();
}

begin();
if ("serviceWorker" in navigator) navigator.serviceWorker.register("sw.js").catch(() => {});
