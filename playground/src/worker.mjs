// A worker, which serves one request after another. While a script runs, the page gets what it writes and spends.

import { Engine } from "./engine.mjs";

// The page shows this many bytes of what a run writes, and counts the rest.
const MOST_SHOWN = 256 << 10;
// The time between two messages, in milliseconds.
const PERIOD = 50;

let engine;
let shown, dropped, pending, pendingBytes, sent, spent;
let panic = "";
const decoders = [];

function begin() {
  [shown, dropped, pending, pendingBytes, sent] = [0, 0, [], 0, performance.now()];
  for (const stream of [0, 1]) decoders[stream] = new TextDecoder("utf-8", { ignoreBOM: true });
}

function flush() {
  if (pending.length || dropped) postMessage({ written: pending, dropped });
  [pending, pendingBytes, sent] = [[], 0, performance.now()];
}

function write(stream, bytes) {
  if (stream === 2) {
    panic = new TextDecoder().decode(bytes);
    return;
  }
  const room = MOST_SHOWN - shown;
  dropped += Math.max(0, bytes.length - room);
  if (room > 0) {
    const kept = bytes.subarray(0, room);
    shown += kept.length;
    const text = decoders[stream].decode(kept, { stream: true });
    const last = pending.at(-1);
    if (last?.[0] === stream) last[1] += text;
    else pending.push([stream, text]);
    pendingBytes += kept.length;
  }
  if (pendingBytes > 1 << 15 || performance.now() - sent > PERIOD) flush();
}

function progress(fuel, ticks, memory) {
  const now = performance.now();
  if (now - spent < PERIOD) return;
  spent = now;
  if (pending.length || dropped) flush();
  postMessage({ spent: { fuel, ticks, memory } });
}

onmessage = ({ data: { module, id, head, body } }) => {
  if (module) {
    engine = new Engine(module, { write, progress });
    return;
  }
  begin();
  spent = sent;
  try {
    const reply = engine.serve(head, body);
    flush();
    postMessage({ id, ...reply }, [reply.body.buffer]);
  } catch (error) {
    // The engine cannot be used after this: the page starts another one.
    flush();
    postMessage({ id, broken: panic || `${error.name}: ${error.message}` });
  }
};
