// Starlark for CodeMirror: colours and indentation.

import { StreamLanguage, indentService, LanguageSupport } from "@codemirror/language";

const KEYWORDS = new Set("and break continue def elif else for if in lambda load not or pass return".split(" "));
const ATOMS = new Set(["True", "False", "None"]);
const BUILTINS = new Set(
  ("abs all any argv bool bytes chr dict dir enumerate exit eval_type fail field filter float getattr hasattr hash int isinstance " +
    "json len list list_files map max min ord partial print range read_file record repr reversed set sorted stdin str struct " +
    "tuple type wasm write write_error write_file zip enum").split(" "),
);

// Reads the rest of a string that began before. `state.string` has its quotes, and whether it is raw.
function string(stream, state) {
  const { quote, isRaw } = state.string;
  while (!stream.eol()) {
    if (!isRaw && stream.match(/^\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)/)) continue;
    if (isRaw && stream.match(/^\\./)) continue;
    if (stream.match(quote)) {
      state.string = null;
      return "string";
    }
    stream.next();
  }
  // Only a string with three quotes continues on the next line, or one whose line ends in a backslash.
  if (quote.length === 1 && !stream.string.endsWith("\\")) state.string = null;
  return "string";
}

const parser = {
  name: "starlark",
  startState: () => ({ string: null, isAfterDot: false, isAfterDef: false }),
  copyState: (state) => ({ ...state }),
  token(stream, state) {
    if (state.string) return string(stream, state);
    if (stream.eatSpace()) return null;
    if (stream.match(/^#.*/)) return "comment";
    const quote = stream.match(/^([rR]?[bBfF]?|[bBfF][rR])("""|'''|"|')/);
    if (quote) {
      state.string = { quote: quote[2], isRaw: /r/i.test(quote[1]) };
      return string(stream, state);
    }
    if (stream.match(/^(0[xX][\da-fA-F]+|0[oO][0-7]+|0[bB][01]+|(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?)/)) return "number";
    const name = stream.match(/^[\p{L}_][\p{L}\p{N}_]*/u);
    if (name) {
      const { isAfterDot, isAfterDef } = state;
      Object.assign(state, { isAfterDot: false, isAfterDef: name[0] === "def" });
      if (isAfterDef) return "variableName.definition";
      if (isAfterDot) return stream.match(/^\s*\(/, false) ? "propertyName.function" : "propertyName";
      if (KEYWORDS.has(name[0])) return "keyword";
      if (ATOMS.has(name[0])) return "atom";
      if (BUILTINS.has(name[0])) return "variableName.standard";
      return "variableName";
    }
    state.isAfterDot = stream.peek() === ".";
    if (stream.match(/^[-+*/%|&^~<>=!]+/)) return "operator";
    stream.next();
    return "punctuation";
  },
  languageData: {
    commentTokens: { line: "#" },
    closeBrackets: { brackets: ["(", "[", "{", "'", '"'] },
    indentOnInput: /^\s*(elif |else:|[)\]}])$/,
  },
};

// Indents like the line before: one level more after a colon or an open bracket, one less after a statement that leaves a
// block.
function indentation(context, at) {
  const line = context.lineAt(at);
  let before = null;
  for (let from = line.from; from > 0 && !before?.text.trim(); ) {
    before = context.lineAt(from - 1, -1);
    from = before.from;
  }
  if (!before?.text.trim()) return 0;
  const code = before.text.replace(/\s+#.*$/, "").trimEnd();
  let indent = context.countColumn(before.text, before.text.search(/\S/));
  if (/[:([{]$/.test(code)) indent += context.unit;
  else if (/^\s*(return|pass|break|continue)\b/.test(code)) indent -= context.unit;
  if (/^\s*([)\]}]|elif\b|else\b)/.test(line.text)) indent -= context.unit;
  return Math.max(0, indent);
}

export const starlark = () => new LanguageSupport(StreamLanguage.define(parser), [indentService.of(indentation)]);
