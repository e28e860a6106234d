// The memory view: bytes in rows, a map, and the value at the cursor by type. Only the visible rows are in the page.

import { changedCount, paint } from "./map.mjs";

// A browser cannot lay out an element of more than about ten million pixels. Beyond that, a pixel scrolls several rows.
const MOST_PIXELS = 8_000_000;
const ROW = 20;
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
const TEXT = Array.from({ length: 256 }, (_, byte) => (byte > 31 && byte < 127 ? String.fromCharCode(byte) : "·"));

export class MemoryView {
  #bytes = new Uint8Array();
  #before = null;
  #columns = 16;
  #rows = [];
  #cursor = 0;
  #top = 0;
  #parts;
  #queued = false;

  constructor(parts) {
    this.#parts = parts;
    const { hexdump, map } = parts;
    this.scroller = document.createElement("div");
    this.scroller.className = "scroller";
    this.space = document.createElement("div");
    this.window = document.createElement("div");
    this.window.className = "rows";
    this.scroller.append(this.space);
    hexdump.append(this.scroller, this.window);
    this.scroller.addEventListener("scroll", () => this.#scrolled());
    this.window.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    this.window.addEventListener("pointerdown", (event) => this.#pointed(event));
    this.#dragToScroll();
    hexdump.addEventListener("keydown", (event) => this.#key(event));
    const toMap = (event) => {
      const box = map.getBoundingClientRect();
      this.go(paint.address(map, this.#bytes.length, event.clientX - box.left, event.clientY - box.top, box));
    };
    map.addEventListener("pointerdown", (event) => {
      map.setPointerCapture(event.pointerId);
      toMap(event);
    });
    map.addEventListener("pointermove", (event) => event.buttons && toMap(event));
    new ResizeObserver(() => this.#resize()).observe(hexdump);
  }

  // Shows bytes. `before` has the bytes to compare them with; null if there are none.
  show(bytes, before) {
    this.#bytes = bytes;
    this.#before = before;
    this.#cursor = Math.min(this.#cursor, Math.max(0, bytes.length - 1));
    this.#resize();
  }

  get size() {
    return this.#bytes.length;
  }

  get cursor() {
    return this.#cursor;
  }

  #isChanged(at) {
    return this.#before !== null && at < this.#bytes.length && this.#before[at] !== this.#bytes[at];
  }

  // Moves the cursor to an address, and scrolls it into view.
  go(address) {
    if (!this.#bytes.length) return;
    this.#cursor = Math.min(Math.max(0, address), this.#bytes.length - 1);
    const row = Math.floor(this.#cursor / this.#columns);
    const visible = this.#visibleRows();
    if (row < this.#top) this.#setTop(row);
    else if (row >= this.#top + visible) this.#setTop(row - visible + 1);
    if (Math.abs(row - this.#top) > visible) this.#setTop(row - (visible >> 1));
    this.#draw();
  }

  // Goes to the next change after the cursor. After the last one, continues at the beginning.
  nextChange() {
    const { length } = this.#bytes;
    if (!this.#before) return;
    for (let step = 1; step <= length; step++) {
      const at = (this.#cursor + step) % length;
      // Adjacent changed bytes are one change, and the cursor goes to its first byte.
      if (!this.#isChanged(at) || (at > 0 && this.#isChanged(at - 1))) continue;
      this.#setTop(Math.floor(at / this.#columns) - (this.#visibleRows() >> 1));
      this.go(at);
      return;
    }
  }

  #allRows() {
    return Math.ceil(this.#bytes.length / this.#columns);
  }

  #visibleRows() {
    return Math.max(1, Math.floor(this.#parts.hexdump.clientHeight / ROW));
  }

  #resize() {
    const { hexdump } = this.#parts;
    if (!hexdump.clientHeight) return;
    this.#columns = hexdump.clientWidth < 525 ? 8 : 16;
    this.space.style.height = `${Math.min(this.#allRows() * ROW, MOST_PIXELS)}px`;
    this.#setTop(this.#top);
    this.#draw();
    this.#drawMap();
  }

  #setTop(row) {
    this.#top = Math.min(Math.max(0, row), Math.max(0, this.#allRows() - this.#visibleRows()));
    const most = this.space.clientHeight - this.scroller.clientHeight;
    const rows = Math.max(1, this.#allRows() - this.#visibleRows());
    const at = Math.round((this.#top / rows) * Math.max(0, most));
    this.ignored = Math.abs(this.scroller.scrollTop - at) >= 1;
    this.scroller.scrollTop = at;
  }

  #scrolled() {
    if (this.ignored) {
      this.ignored = false;
      return;
    }
    const most = Math.max(1, this.space.clientHeight - this.scroller.clientHeight);
    this.#top = Math.round((this.scroller.scrollTop / most) * Math.max(0, this.#allRows() - this.#visibleRows()));
    this.#queue();
  }

  #wheel(event) {
    event.preventDefault();
    const lines = event.deltaMode === 1 ? event.deltaY : event.deltaY / ROW;
    this.#setTop(this.#top + (Math.sign(lines) * Math.max(1, Math.round(Math.abs(lines)))));
    this.#queue();
  }

  // Scrolls when a finger drags.
  #dragToScroll() {
    let from = null;
    this.window.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "touch") from = { y: event.clientY, top: this.#top };
    });
    this.window.addEventListener("pointermove", (event) => {
      if (!from) return;
      this.#setTop(from.top + Math.round((from.y - event.clientY) / ROW));
      this.#queue();
    });
    for (const end of ["pointerup", "pointercancel"]) this.window.addEventListener(end, () => (from = null));
  }

  #pointed(event) {
    const at = event.target.dataset?.at;
    if (at === undefined) return;
    const row = this.#rows.findIndex(({ element }) => element.contains(event.target));
    this.go((this.#top + row) * this.#columns + Number(at));
  }

  #key(event) {
    const page = (this.#visibleRows() - 1) * this.#columns;
    const inRow = this.#cursor % this.#columns;
    const moves = {
      ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.#columns, ArrowDown: this.#columns, PageUp: -page, PageDown: page,
      Home: event.ctrlKey ? -this.#cursor : -inRow,
      End: event.ctrlKey ? this.#bytes.length : this.#columns - 1 - inRow,
    };
    if (event.key in moves) this.go(this.#cursor + moves[event.key]);
    else if (event.key === "n" && !event.ctrlKey && !event.metaKey) this.nextChange();
    else if (event.key === "g" && !event.ctrlKey && !event.metaKey) this.#parts.address.focus();
    else return;
    event.preventDefault();
  }

  #queue() {
    if (this.#queued) return;
    this.#queued = true;
    requestAnimationFrame(() => {
      this.#queued = false;
      this.#draw();
    });
  }

  #makeRow() {
    const element = document.createElement("div");
    element.className = "row";
    const address = element.appendChild(document.createElement("span"));
    address.className = "address";
    const cells = ["byte", "char"].map((className) => {
      const group = element.appendChild(document.createElement("span"));
      group.className = className;
      return Array.from({ length: this.#columns }, (_, at) => {
        const cell = group.appendChild(document.createElement("span"));
        cell.dataset.at = at;
        return cell;
      });
    });
    this.window.append(element);
    return { element, address, bytes: cells[0], chars: cells[1] };
  }

  #draw() {
    const count = this.#visibleRows() + 1;
    if (this.#rows.length !== count || this.#rows[0]?.bytes.length !== this.#columns) {
      this.window.replaceChildren();
      this.#rows = Array.from({ length: count }, () => this.#makeRow());
    }
    const digits = Math.max(6, this.#bytes.length.toString(16).length);
    for (const [index, row] of this.#rows.entries()) {
      const begin = (this.#top + index) * this.#columns;
      set(row.address, begin < this.#bytes.length ? begin.toString(16).padStart(digits, "0") : "", "address");
      for (let column = 0; column < this.#columns; column++) {
        const at = begin + column;
        const byte = this.#bytes[at];
        let kind = byte === undefined ? "" : byte === 0 ? "zero" : byte > 31 && byte < 127 ? "text" : "data";
        if (this.#isChanged(at)) kind = "changed";
        if (at === this.#cursor && byte !== undefined) kind += " cursor";
        set(row.bytes[column], byte === undefined ? "  " : HEX[byte], kind);
        set(row.chars[column], byte === undefined ? " " : TEXT[byte], kind);
      }
    }
    this.#drawFrame();
    this.#parts.typed(this.#bytes, this.#cursor, this.#isChanged(this.#cursor) ? this.#before?.[this.#cursor] : undefined);
  }

  #drawMap() {
    const { map } = this.#parts;
    this.picture = paint.picture(map, this.#bytes, this.#before);
    const changed = changedCount(this.#bytes, this.#before);
    map.setAttribute("aria-label", `Map of the memory: ${this.#bytes.length} bytes, ${changed} changed`);
    this.#parts.changes(changed, this.#before !== null);
    this.#drawFrame();
  }

  #drawFrame() {
    if (this.picture) {
      const from = this.#top * this.#columns;
      paint.frame(this.#parts.map, this.picture, this.#bytes.length, from, from + this.#visibleRows() * this.#columns);
    }
  }
}

function set(cell, text, className) {
  if (cell.textContent !== text) cell.textContent = text;
  if (cell.className !== className) cell.className = className;
}

// Returns what is at an address, read as each type, in pairs of name and text. A guest's memory is little-endian.
export function typed(bytes, at) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const rows = [];
  for (const [name, size, read] of [
    ["u8", 1, (v) => v.getUint8(at)], ["i8", 1, (v) => v.getInt8(at)],
    ["u16", 2, (v) => v.getUint16(at, true)], ["i16", 2, (v) => v.getInt16(at, true)],
    ["u32", 4, (v) => v.getUint32(at, true)], ["i32", 4, (v) => v.getInt32(at, true)],
    ["u64", 8, (v) => v.getBigUint64(at, true)], ["i64", 8, (v) => v.getBigInt64(at, true)],
    ["f32", 4, (v) => shortFloat(v.getFloat32(at, true))], ["f64", 8, (v) => v.getFloat64(at, true)],
  ]) {
    rows.push([name, at + size <= bytes.length ? String(read(view)) : "—"]);
  }
  const end = Math.min(at + 64, bytes.length);
  const zero = bytes.subarray(at, end).indexOf(0);
  const text = new TextDecoder().decode(bytes.subarray(at, zero < 0 ? end : at + zero));
  rows.push(["text", JSON.stringify(text) + (zero < 0 && end < bytes.length ? "…" : "")]);
  return rows;
}

// Returns the shortest text that reads back as the same f32.
function shortFloat(value) {
  for (let digits = 1; digits <= 9; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return Number(text);
  }
  return value;
}
