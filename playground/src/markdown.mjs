// The part of Markdown that descriptions use: blocks of code, headings, paragraphs, and inline code.

export function render(markdown) {
  const root = document.createElement("div");
  root.className = "description";
  for (const [index, part] of markdown.split(/^```.*$/m).entries()) {
    if (index % 2) {
      root.append(element("pre", part.trim()));
      continue;
    }
    for (const paragraph of part.split(/\n{2,}/)) {
      const text = paragraph.trim().replace(/\\(.)/g, "$1");
      if (!text || /^#+ /.test(text) && !/\n/.test(text)) continue;
      const into = element("p", "");
      for (const [at, piece] of text.replace(/^#+ .*\n/, "").split("`").entries()) into.append(at % 2 ? element("code", piece) : piece);
      root.append(into);
    }
  }
  return root;
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}
