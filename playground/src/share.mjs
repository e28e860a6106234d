// Links with the files in their fragment, which a browser does not send to anyone.

// Longer links are cut off by many programs that people paste them into.
export const MOST_LINK = 64 << 10;

// Version 1 is JSON, deflated, in base64 for URLs. The JSON has pairs of a name and a text, or of a name and an array with the
// base64 of bytes.
export async function encode(files) {
  const pairs = [...files].map(([name, content]) => [name, typeof content === "string" ? content : [toBase64(content)]]);
  const packed = await through(new TextEncoder().encode(JSON.stringify(pairs)), new CompressionStream("deflate-raw"));
  return `#1${toBase64(packed).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
}

// Returns the files of a fragment; null if it has none. Throws an error if it is damaged.
export async function decode(fragment) {
  if (!fragment.startsWith("#1")) return null;
  const packed = fromBase64(fragment.slice(2).replaceAll("-", "+").replaceAll("_", "/"));
  const json = await through(packed, new DecompressionStream("deflate-raw"));
  const pairs = JSON.parse(new TextDecoder().decode(json));
  return new Map(pairs.map(([name, content]) => [String(name), typeof content === "string" ? content : fromBase64(content[0])]));
}

async function through(bytes, stream) {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}

function toBase64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 4096) text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return btoa(text);
}

function fromBase64(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
