// Orders the functions of a WebAssembly module by their likeness, so that it packs better: gzip finds again what it has
// seen within 32 kB, and one generic function of Rust is often there a dozen times, far apart.
//
// Before that, instructions that say nothing are left out, and functions that do the same become one. A module that
// computes is left in its order after that: tensors' loops gain little by another.
import binaryen from "binaryen";

/** What is done first: it unites equal functions, and makes more of them equal. */
const PASSES = [
  "duplicate-function-elimination",
  "optimize-instructions",
  "remove-unused-brs",
  "rse",
  "vacuum",
  "merge-blocks",
  "remove-unused-names",
  "duplicate-function-elimination",
];
/** How much the likeness to a function counts after one more function stands between. */
const FADES = 0.8;

/** The module without what says nothing. */
export function withoutWaste(bytes) {
  const module = binaryen.readBinary(bytes);
  module.runPasses(PASSES);
  return module.emitBinary();
}

/** The same with its functions in the new order. */
export function inOrderOfLikeness(bytes) {
  const module = binaryen.readBinary(bytes);
  const features = module.getFeatures();
  module.runPasses(PASSES);
  const ordered = binaryen.parseText(withFunctionsOrdered(module.emitText()));
  ordered.setFeatures(features);
  if (!ordered.validate()) throw new Error("the module is not valid after its functions were ordered");
  return ordered.emitBinary();
}

/** The text of a module, in which each function is a form of its own. */
function withFunctionsOrdered(text) {
  const [head, ...functions] = text.split(/^ (?=\(func )/m);
  const last = functions.pop();
  const end = last.indexOf("\n )\n") + "\n )\n".length;
  functions.push(last.slice(0, end));
  return [head, ...order(functions).map((i) => functions[i]), last.slice(end)].join(" ");
}

/** From the longest on, always the one next that is most like those before it, the last ones above all. */
function order(functions) {
  const traits = functions.map(traitsOf);
  const having = new Map();
  traits.forEach((own, i) => own.forEach((trait) => having.get(trait)?.push(i) ?? having.set(trait, [i])));
  const likeness = new Float64Array(functions.length);
  const left = new Set(functions.keys());
  const placed = [];
  let next = longest(functions);
  while (next !== undefined) {
    left.delete(next);
    placed.push(next);
    for (const i of left) likeness[i] *= FADES;
    for (const trait of traits[next]) {
      const others = having.get(trait);
      // What many have says little.
      for (const i of others) likeness[i] += 1 / Math.sqrt(others.length);
    }
    next = undefined;
    let most = -1;
    for (const i of left) {
      const found = likeness[i] / Math.sqrt(traits[i].size + 10);
      if (found > most) [next, most] = [i, found];
    }
  }
  return placed;
}

/** What a function is known by: its lines, two by two. */
function traitsOf(text) {
  const lines = text.split("\n").slice(1).map((line) => line.trim());
  return new Set(lines.slice(1).map((line, i) => `${lines[i]}\n${line}`));
}

function longest(functions) {
  return functions.reduce((longest, text, i) => (text.length > functions[longest].length ? i : longest), 0);
}
