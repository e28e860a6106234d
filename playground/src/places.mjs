// Places in a document. wasmlark counts lines and characters from 1, whereas CodeMirror counts UTF-16 units from 0.

export function offset(doc, { line, column }) {
  const at = doc.line(Math.min(Math.max(line, 1), doc.lines));
  let characters = column - 1, units = 0;
  for (const character of at.text) {
    if (characters-- <= 0) break;
    units += character.length;
  }
  return at.from + Math.min(units, at.length);
}

export function place(doc, at) {
  const line = doc.lineAt(at);
  return { line: line.number, column: [...line.text.slice(0, at - line.from)].length + 1 };
}
