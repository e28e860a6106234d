// A picture of a whole memory. Each cell stands for a number of bytes, row by row from the top. A cell with a changed byte has
// the colour of changes; otherwise the colours of text, data and zeros are mixed.

// The colours are those of the legend in the current theme.
function colours() {
  const parse = (name) => getComputedStyle(document.querySelector(`.legend .${name}`)).backgroundColor.match(/[\d.]+/g).slice(0, 3).map(Number);
  return { zero: parse("zero"), text: parse("text"), data: parse("data"), changed: parse("changed") };
}

function cells(canvas, length) {
  const per = Math.max(1, Math.ceil(length / (canvas.width * canvas.height)));
  return { per, count: Math.ceil(length / per) };
}

export const paint = {
  picture(canvas, bytes, before) {
    const box = canvas.getBoundingClientRect();
    // Small memories get large cells.
    const scale = Math.max(2, Math.min(16, Math.floor(Math.sqrt((box.width * box.height) / Math.max(1, bytes.length)))));
    canvas.width = Math.max(1, Math.floor(box.width / scale));
    canvas.height = Math.max(1, Math.floor(box.height / scale));
    const { per, count } = cells(canvas, bytes.length);
    const image = new ImageData(canvas.width, canvas.height);
    const { zero, text, data, changed } = colours();
    for (let cell = 0; cell < count; cell++) {
      const end = Math.min((cell + 1) * per, bytes.length);
      let texts = 0, datas = 0, isChanged = false;
      for (let at = cell * per; at < end; at++) {
        const byte = bytes[at];
        if (byte !== 0) byte > 31 && byte < 127 ? texts++ : datas++;
        if (before !== null && before[at] !== byte) isChanged = true;
      }
      const to = cell * 4;
      const full = end - cell * per;
      // Even a few bytes among zeros must be visible.
      const weight = texts + datas === 0 ? 0 : 0.35 + 0.65 * ((texts + datas) / full);
      const share = texts / Math.max(1, texts + datas);
      for (let channel = 0; channel < 3; channel++) {
        const mixed = text[channel] * share + data[channel] * (1 - share);
        image.data[to + channel] = isChanged ? changed[channel] : zero[channel] * (1 - weight) + mixed * weight;
      }
      image.data[to + 3] = 255;
    }
    return image;
  },

  // Draws the picture, with a frame around the cells of a range.
  frame(canvas, picture, length, from, to) {
    const context = canvas.getContext("2d");
    context.putImageData(picture, 0, 0);
    const { per } = cells(canvas, length);
    const first = Math.floor(from / per / canvas.width);
    const last = Math.ceil(Math.min(to, length) / per / canvas.width);
    context.fillStyle = getComputedStyle(canvas).color;
    context.fillRect(0, first, canvas.width, Math.max(1, last - first));
  },

  // Returns the address at a point of the canvas.
  address(canvas, length, x, y, box) {
    const { per } = cells(canvas, length);
    const column = Math.floor((x / box.width) * canvas.width);
    const row = Math.floor((y / box.height) * canvas.height);
    return (row * canvas.width + Math.max(0, Math.min(canvas.width - 1, column))) * per;
  },
};

export function changedCount(bytes, before) {
  if (before === null) return 0;
  let changed = 0;
  for (let at = 0; at < bytes.length; at++) if (bytes[at] !== before[at]) changed++;
  return changed;
}
