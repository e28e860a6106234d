// Makes a zip archive of files that are stored without compression.

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

function crc32(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) value = TABLE[(value ^ byte) & 255] ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}

// Always 1 January 1980, so that the same files make the same archive.
const DATE = 0x0021;
// The names are UTF-8.
const FLAGS = 0x0800;

// `files` are pairs of a name and bytes.
export function zip(files) {
  const parts = [], directory = [];
  let at = 0;
  const push = (list, bytes) => {
    list.push(bytes);
    return bytes.length;
  };
  for (const [path, content] of files) {
    const name = new TextEncoder().encode(path);
    const common = [[2, 20], [2, FLAGS], [2, 0], [2, 0], [2, DATE], [4, crc32(content)], [4, content.length], [4, content.length], [2, name.length], [2, 0]];
    push(directory, record([[4, 0x02014b50], [2, 20], ...common, [2, 0], [2, 0], [2, 0], [4, 0], [4, at]], name));
    at += push(parts, record([[4, 0x04034b50], ...common], name)) + push(parts, content);
  }
  const size = directory.reduce((sum, bytes) => sum + bytes.length, 0);
  const count = directory.length;
  const end = record([[4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count], [4, size], [4, at], [2, 0]], new Uint8Array());
  return new Blob([...parts, ...directory, end], { type: "application/zip" });
}

// Encodes little-endian numbers of the given sizes, and a name.
function record(numbers, name) {
  const bytes = new Uint8Array(numbers.reduce((sum, [size]) => sum + size, 0) + name.length);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [size, value] of numbers) {
    if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += size;
  }
  bytes.set(name, at);
  return bytes;
}
