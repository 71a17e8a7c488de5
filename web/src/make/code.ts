// A visitor's code before it runs: read by the editor's own parser, so that lines and columns stay what they are.
import { javascriptLanguage } from "@codemirror/lang-javascript";

/** What is wrong with a visitor's world, and where; line and column count from 1, and are 0 where nobody knows. */
export interface Fault {
  message: string;
  line: number;
  column: number;
}

/** Where a place of the text stands. */
function place(code: string, at: number): { line: number; column: number } {
  const before = code.slice(0, at).split("\n");
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

const OURS = /["']archer-web(?:\/[^"']*)?["']/;

/** The code as it runs in a worker: its world becomes a variable, and what it takes from archer is there already. */
export function prepared(code: string): { code: string } | { fault: Fault } {
  let made = code;
  let fault: Fault | null = null;
  const put = (from: number, text: string) => {
    made = made.slice(0, from) + text + made.slice(from + text.length);
  };
  const complain = (at: number, message: string) => {
    fault ??= { message, ...place(code, at) };
  };
  javascriptLanguage.parser.parse(code).iterate({
    enter(node) {
      const text = () => code.slice(node.from, node.to);
      if (node.type.isError) complain(node.from, "This is not valid JavaScript.");
      if (node.name === "ExportDeclaration") {
        const written = /^export(\s+default\b)?/.exec(text())?.[0] ?? "";
        // As long as what it replaces. Lines stay lines.
        put(node.from, written === "export" ? "      " : "self.default =" + written.slice("self.default =".length).replace(/[^\n]/g, " "));
      }
      if (node.name === "ImportDeclaration") {
        if (OURS.test(text())) put(node.from, text().replace(/[^\n]/g, " "));
        else complain(node.from, "A world can import nothing but archer-web here: put all of its code into this editor.");
      }
      if (node.name === "DynamicImport") complain(node.from, "A world can import nothing here: put all of its code into this editor.");
    },
  });
  return fault ? { fault } : { code: made };
}

/** The code without what it takes from archer, line by line as it was. */
export function withoutImports(code: string): string {
  return code.replace(/^import\b[^;'"]*["']archer-web(?:\/[^"']*)?["'];?/gm, (text) => text.replace(/[^\n]/g, " "));
}

/** Where a function of the world begins, for what was found out about its answers. */
export function placeOf(code: string, name: "start" | "act"): { line: number; column: number } {
  const at = code.search(new RegExp(`^\\s*(?:async\\s+)?${name}\\b\\s*[(:]`, "m"));
  if (at < 0) return { line: 0, column: 0 };
  return place(code, at + (/\S/.exec(code.slice(at))?.index ?? 0));
}
