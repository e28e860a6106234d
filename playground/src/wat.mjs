// The text format of WebAssembly for CodeMirror.

import { StreamLanguage, LanguageSupport } from "@codemirror/language";

const FIELDS = /^(module|func|param|result|local|global|memory|table|elem|data|type|import|export|start|mut|offset|item|declare)$/;
const CONTROL = /^(block|loop|if|then|else|end|br|br_if|br_table|return|call|call_indirect|return_call|return_call_indirect|unreachable|nop|drop|select)$/;
const TYPES = /^(i32|i64|f32|f64|v128|funcref|externref|func|extern)$/;

const parser = {
  name: "wat",
  startState: () => ({ depth: 0 }),
  token(stream, state) {
    if (state.depth > 0 || stream.match("(;", false)) {
      while (!stream.eol()) {
        if (stream.match("(;")) state.depth++;
        else if (stream.match(";)")) {
          if (--state.depth === 0) break;
        } else stream.next();
      }
      return "comment";
    }
    if (stream.eatSpace()) return null;
    if (stream.match(/^;;.*/)) return "comment";
    if (stream.match(/^"([^"\\]|\\.)*"?/)) return "string";
    if (stream.match(/^\$[^\s()";,]+/)) return "variableName";
    if (stream.match(/^[-+]?(0x[\da-fA-F_]+(\.[\da-fA-F_]*)?(p[-+]?\d+)?|\d[\d_]*(\.[\d_]*)?(e[-+]?\d+)?|inf|nan)(?![\w.])/)) return "number";
    const word = stream.match(/^[^\s()";]+/);
    if (word) {
      if (FIELDS.test(word[0])) return "keyword";
      if (CONTROL.test(word[0])) return "keyword";
      if (TYPES.test(word[0])) return "typeName";
      return word[0].includes("=") ? "attributeName" : "propertyName.function";
    }
    stream.next();
    return "punctuation";
  },
  languageData: { commentTokens: { line: ";;", block: { open: "(;", close: ";)" } }, closeBrackets: { brackets: ["(", '"'] } },
};

export const wat = () => new LanguageSupport(StreamLanguage.define(parser));
