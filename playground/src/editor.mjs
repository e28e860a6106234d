// The editors: CodeMirror with the languages of scripts and modules, diagnostics, and a mark for an error.

import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { HighlightStyle, bracketMatching, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, StateEffect, StateField } from "@codemirror/state";
import {
  Decoration, EditorView, ViewPlugin, WidgetType, drawSelection, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars,
  hoverTooltip, keymap, lineNumbers,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { render } from "./markdown.mjs";
import { offset, place } from "./places.mjs";

// Colours are variables of the page, so a change of theme does not affect this file.
const colours = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--keyword)" },
  { tag: [tags.atom, tags.number], color: "var(--number)" },
  { tag: tags.string, color: "var(--string)" },
  { tag: tags.comment, color: "var(--comment)", fontStyle: "italic" },
  { tag: tags.definition(tags.variableName), color: "var(--function)", fontWeight: "600" },
  { tag: tags.standard(tags.variableName), color: "var(--builtin)" },
  { tag: tags.function(tags.propertyName), color: "var(--function)" },
  { tag: tags.typeName, color: "var(--builtin)" },
  { tag: tags.operator, color: "var(--operator)" },
  { tag: tags.punctuation, color: "var(--operator)" },
]);

const theme = EditorView.theme({
  "&": { height: "100%", color: "var(--text)", backgroundColor: "var(--panel)", fontSize: "var(--code-size)" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55" },
  ".cm-content": { caretColor: "var(--text)", paddingBottom: "30vh" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-gutters": { backgroundColor: "var(--panel)", color: "var(--faint)", border: "none" },
  // Wide enough for a hundred lines, so that the text does not move when the tenth one is typed.
  ".cm-lineNumbers .cm-gutterElement": { minWidth: "1.85em" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "transparent" },
  "&.cm-focused .cm-activeLine, &.cm-focused .cm-activeLineGutter": { backgroundColor: "var(--line)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--selection)" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--selection)", outline: "1px solid var(--faint)" },
  ".cm-selectionMatch": { backgroundColor: "var(--match)" },
  ".cm-tooltip": { backgroundColor: "var(--raised)", color: "var(--text)", border: "1px solid var(--border)", borderRadius: "6px", boxShadow: "var(--shadow)" },
  ".cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", fontSize: "var(--code-size)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "2px 10px 2px 6px" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--accent)", color: "var(--on-accent)" },
  ".cm-diagnostic": { fontFamily: "var(--sans)", fontSize: "13px", padding: "6px 10px" },
  ".cm-diagnostic-error": { borderLeftColor: "var(--error)" },
  ".cm-diagnostic-warning": { borderLeftColor: "var(--warning)" },
  ".cm-panels": { backgroundColor: "var(--raised)", color: "var(--text)" },
  ".cm-textfield, .cm-button": { backgroundColor: "var(--panel)", backgroundImage: "none", color: "var(--text)", borderColor: "var(--border)" },
  ".cm-failed-line, &.cm-focused .cm-failed-line": { backgroundColor: "var(--error-line)" },
});

class Failure extends WidgetType {
  constructor(message) {
    super();
    this.message = message;
  }

  eq(other) {
    return other.message === this.message;
  }

  toDOM() {
    const made = document.createElement("div");
    made.className = "failure";
    made.textContent = this.message;
    return made;
  }
}

const setFailure = StateEffect.define();

// The line where a run failed, marked until the text changes.
const failure = StateField.define({
  create: () => Decoration.none,
  update(marks, transaction) {
    if (transaction.docChanged) marks = Decoration.none;
    for (const effect of transaction.effects) {
      if (!effect.is(setFailure)) continue;
      if (!effect.value) {
        marks = Decoration.none;
        continue;
      }
      const line = transaction.state.doc.lineAt(effect.value.at);
      marks = Decoration.set([
        Decoration.line({ class: "cm-failed-line" }).range(line.from),
        Decoration.widget({ widget: new Failure(effect.value.message), block: true, side: 1 }).range(line.to),
      ]);
    }
    return marks;
  },
  provide: (field) => EditorView.decorations.from(field),
});

// Long lines are wrapped, and what follows their beginning is indented further than it.
const wrapped = ViewPlugin.fromClass(class {
  constructor(view) {
    this.decorations = this.#of(view);
  }

  update(update) {
    if (update.docChanged || update.viewportChanged) this.decorations = this.#of(update.view);
  }

  #of(view) {
    const { doc } = view.state;
    const marks = [];
    for (const { from, to } of view.visibleRanges) {
      for (let line = doc.lineAt(from); ; line = doc.line(line.number + 1)) {
        const columns = Math.min(/^ */.exec(line.text)[0].length, 24) + 2;
        marks.push(Decoration.line({ attributes: { style: `padding-left: calc(6px + ${columns}ch); text-indent: -${columns}ch` } }).range(line.from));
        if (line.to >= to || line.number === doc.lines) break;
      }
    }
    return Decoration.set(marks);
  }
}, { decorations: (plugin) => plugin.decorations });

// `tools` has complete(name, line, column) and describe(name, line, column). `changed` is called with the text.
export class Editor {
  #view;
  #language = new Compartment();
  #label = new Compartment();
  #states = new Map();
  #make;
  name = null;

  constructor(parent, { languages, tools, changed }) {
    const complete = async (context) => {
      const word = context.matchBefore(/[\p{L}\p{N}_.]*/u);
      if (!this.name.endsWith(".star") || (!context.explicit && !word?.text)) return null;
      const { line, column } = place(context.state.doc, context.pos);
      const found = await tools.complete(this.name, line, column);
      const from = context.pos - (/[\p{L}\p{N}_]*$/u.exec(word?.text ?? "")[0].length);
      const options = found.map(({ name, isMember }) => ({ label: name, type: isMember ? "property" : "variable" }));
      return { from, options, validFor: /^[\p{L}\p{N}_]*$/u };
    };
    const hover = hoverTooltip(async (view, at) => {
      if (!this.name.endsWith(".star")) return null;
      const { line, column } = place(view.state.doc, at);
      const markdown = await tools.describe(this.name, line, column);
      return markdown ? { pos: at, above: true, create: () => ({ dom: render(markdown) }) } : null;
    });
    this.#make = (name, text) => EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(), highlightActiveLineGutter(), highlightSpecialChars(), history(), drawSelection(), indentOnInput(),
        bracketMatching(), closeBrackets(), highlightActiveLine(), highlightSelectionMatches(), EditorView.lineWrapping, wrapped, lintGutter(), failure, hover,
        autocompletion({ override: [complete], icons: false }),
        indentUnit.of(name.endsWith(".star") ? "    " : "  "),
        syntaxHighlighting(colours), theme, EditorView.cspNonce.of("editor"),
        this.#language.of(languages(name)),
        this.#label.of(EditorView.contentAttributes.of({ "aria-label": name, "aria-description": "Tab indents; after Escape it leads on", id: `${parent.id}-content` })),
        keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...completionKeymap, ...lintKeymap, indentWithTab]),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) changed(this.name, update.state.doc.toString());
        }),
      ],
    });
    this.#view = new EditorView({ parent });
  }

  // Shows a file. If it was shown before, its cursor, its history and its place in the view are restored.
  show(name, text) {
    if (this.name !== null) this.#states.set(this.name, { state: this.#view.state, scroll: this.#view.scrollSnapshot() });
    const kept = this.#states.get(name);
    this.name = name;
    if (kept?.state.doc.toString() === text) {
      this.#view.setState(kept.state);
      this.#view.dispatch({ effects: kept.scroll });
    } else {
      this.#view.setState(this.#make(name, text));
      this.#view.dispatch({ effects: EditorView.scrollIntoView(0, { y: "start", yMargin: 8 }) });
    }
  }

  // Forgets all other files.
  keep(names) {
    for (const name of this.#states.keys()) if (!names.includes(name)) this.#states.delete(name);
  }

  diagnose(found) {
    const { doc } = this.#view.state;
    const diagnostics = found.map(({ severity, rule, message, place, end }) => {
      const from = offset(doc, place);
      const to = Math.max(from, offset(doc, end));
      return { from, to, severity: severity === "advice" ? "info" : severity, source: rule, message };
    });
    this.#view.dispatch(setDiagnostics(this.#view.state, diagnostics));
  }

  // Marks the place where a run failed. Without a place, removes the mark.
  fail(error) {
    const value = error ? { at: offset(this.#view.state.doc, error.place), message: error.message } : null;
    const effects = [setFailure.of(value)];
    // A line that is in view already stays where it is, with room for the message below it.
    if (value) effects.push(EditorView.scrollIntoView(value.at, { yMargin: 48 }));
    this.#view.dispatch({ effects });
  }

  // Moves the cursor.
  go(at) {
    const anchor = offset(this.#view.state.doc, at);
    this.#view.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: "center" }) });
    this.#view.focus();
  }

  get text() {
    return this.#view.state.doc.toString();
  }

  focus() {
    this.#view.focus();
  }
}
