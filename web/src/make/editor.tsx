// The editor of a world: CodeMirror with no more than it needs. It lives in a shadow root, where its styles are adopted
// sheets: the page's policy allows no style elements.
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { javascript } from "@codemirror/lang-javascript";
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, setDiagnostics } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useRef } from "preact/hooks";
import type { Fault } from "./code";

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier], color: "var(--actor)" },
  { tag: [tags.string, tags.special(tags.string), tags.regexp], color: "var(--good)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--critic)" },
  { tag: [tags.comment], color: "var(--quiet)", fontStyle: "italic" },
  { tag: [tags.function(tags.definition(tags.variableName)), tags.function(tags.propertyName)], fontWeight: "600" },
]);

const theme = EditorView.theme({
  "&": { height: "100%", backgroundColor: "var(--surface)", color: "var(--ink)", fontSize: "0.875rem" },
  "&.cm-focused": { outline: "3px solid var(--actor)", outlineOffset: "-3px" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.5" },
  ".cm-gutters": { backgroundColor: "var(--surface)", color: "var(--quiet)", border: "none" },
  ".cm-content": { caretColor: "var(--ink)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--sunken) 60%, transparent)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "var(--actor-soft)",
  },
  // Without pictures: those of the editor have styles in them, which the page's policy forbids.
  ".cm-lintRange-error, .cm-lintRange-active": { backgroundImage: "none" },
  ".cm-lintRange-error": { textDecoration: "underline wavy var(--bad)" },
  ".cm-lint-marker-error": { content: '"●"', color: "var(--bad)" },
  ".cm-tooltip": { backgroundColor: "var(--surface)", color: "var(--ink)", border: "1px solid var(--line-strong)" },
});

/**
 * Puts typed text in the place of what was selected. The browser's own editing would give the new text the style of the
 * old by an attribute, which the page's policy forbids: it complains in the console.
 */
const typedOver = EditorView.domEventHandlers({
  beforeinput(event, view) {
    if (event.inputType !== "insertText" || event.data === null || view.composing || view.state.selection.main.empty) return false;
    view.dispatch(view.state.replaceSelection(event.data), { userEvent: "input.type", scrollIntoView: true });
    event.preventDefault();
    return true;
  },
});

export interface EditorProps {
  code: string;
  fault: Fault | null;
  onChange: (code: string) => void;
}

export function Editor({ code, fault, onChange }: EditorProps) {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const changed = useRef(onChange);
  changed.current = onChange;

  useEffect(() => {
    const host = place.current;
    if (!host) return;
    const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
    const extensions = [
      EditorView.lineWrapping, lineNumbers(), history(), drawSelection(), highlightActiveLine(), indentOnInput(), bracketMatching(), javascript(),
      syntaxHighlighting(colours), lintGutter(), theme, typedOver,
      keymap.of([...defaultKeymap, ...historyKeymap]),
      EditorView.contentAttributes.of({ "aria-label": "The world, in JavaScript", spellcheck: "false" }),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) changed.current(update.state.doc.toString());
      }),
    ];
    const made = new EditorView({ state: EditorState.create({ doc: code, extensions }), parent: root, root });
    view.current = made;
    return () => {
      made.destroy();
      view.current = null;
    };
  }, []);

  // Another world was chosen: the text is not what was written here.
  useEffect(() => {
    const shown = view.current;
    if (!shown || shown.state.doc.toString() === code) return;
    shown.dispatch({ changes: { from: 0, to: shown.state.doc.length, insert: code } });
  }, [code]);

  useEffect(() => {
    const shown = view.current;
    if (!shown) return;
    shown.dispatch(setDiagnostics(shown.state, fault ? [marked(shown.state, fault)] : []));
    if (fault && fault.line > 0) {
      const { from } = lineOf(shown.state, fault.line);
      shown.dispatch({ effects: EditorView.scrollIntoView(from, { y: "center" }) });
    }
  }, [fault]);

  return <div class="editor" ref={place} />;
}

const lineOf = (state: EditorState, line: number) => state.doc.line(Math.min(Math.max(line, 1), state.doc.lines));

/** A fault as the editor marks it: from its column to the end of its line. */
function marked(state: EditorState, fault: Fault) {
  const line = lineOf(state, fault.line);
  const from = Math.min(line.from + Math.max(fault.column - 1, 0), line.to);
  return { from, to: Math.max(from, line.to), severity: "error" as const, message: fault.message };
}
