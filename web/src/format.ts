// Numbers as people read them.

/** A number with a true minus sign; what rounds to zero has none. */
export function fixed(value: number, digits = 2): string {
  const text = value.toFixed(digits);
  return /^-0[.0]*$/.test(text) ? text.slice(1) : text.replace("-", "−");
}

/** A number that always shows its sign. */
export function signed(value: number, digits = 2): string {
  const text = fixed(value, digits);
  return value > 0 && !/^0[.0]*$/.test(text) ? `+${text}` : text;
}

export function percent(share: number, digits = 0): string {
  return `${(100 * share).toFixed(digits)}%`;
}

/** A sentence: with a capital, and with an end. */
export function sentence(text: string): string {
  const bare = text.trim();
  if (bare === "") return "";
  const begun = begin(bare);
  return /[.!?…]["”’)]?$/.test(begun) ? begun : `${begun}.`;
}

/** What is said of a file begins with its name, which has the letters that it has; so do keys and addresses. */
function begin(text: string): string {
  if (/^\S.*\.\w+ is (not an archer model file|damaged|of version)\b/.test(text)) return `The file ${text}`;
  return /^\S+[:/_]\w/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1);
}

/** Sentences one after the other, whatever each of them lacks. */
export const sentences = (...texts: string[]): string => texts.map(sentence).filter(Boolean).join(" ");

/** 91873 as "92k". */
export function about(count: number): string {
  if (count >= 1e6) return `${(count / 1e6).toFixed(1)}M`;
  if (count >= 1e3) return `${Math.round(count / 1e3)}k`;
  return String(count);
}

/** What an agent is made of; of a language model only what is trained beside it counts as parameters. */
export function madeOf({ actor, critic }: { actor: number; critic: number }, language: boolean): string {
  if (language) return `a language model with ${about(actor + critic)} parameters of adapters`;
  return `${about(actor)}-parameter actor, ${critic > 0 ? `${about(critic)} critic` : "no critic"}`;
}

export function bytes(count: number): string {
  if (count >= 1e6) return `${(count / 1e6).toFixed(1)} MB`;
  return `${Math.max(1, Math.round(count / 1e3))} kB`;
}

/** An estimate of bytes: two digits, and no more. */
export function roughly(count: number): string {
  const digits = 10 ** (Math.floor(Math.log10(Math.max(count, 1))) - 1);
  const rounded = Math.round(count / digits) * digits;
  return rounded >= 1e9 ? `${(rounded / 1e9).toFixed(1)} GB` : `${Math.round(rounded / 1e6)} MB`;
}

/** Seconds as "1 min 20 s". */
export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Said without an article: what is not counted, and pairs that do not end in s. */
const UNCOUNTED = new Set(
  "bacon beef bread broccoli butter celery cheese chocolate clothing corn cotton flour furniture glue gold grass hair ice jewelry jewellery lego meat milk money music paper pasta rice sand silver snow soap spinach sugar tea toothpaste water wine wood wool".split(" "),
);
/** End in s and are one thing. */
const ONE_IN_S = /(?:ss|us|is|vas)$/;

/** The things of the game that is played, as its fact table puts them into a sentence. */
let nouns: ReadonlyMap<string, string> = new Map();

export function learnNouns(things: readonly string[], named: readonly string[]): void {
  nouns = new Map(things.map((thing, i) => [thing, named[i] ?? thing]));
}

/** "a piano", "an orange", "pants", "a bus", "toothpaste", "my mother in law". */
export function withArticle(thing: string): string {
  const known = nouns.get(thing.toLowerCase());
  if (known) return known;
  const last = thing.split(" ").at(-1)?.toLowerCase() ?? "";
  if (/^(an?|the|my|your|his|her|its|our|their|some|two|three) /i.test(thing)) return thing;
  if (UNCOUNTED.has(last) || (/s$/.test(last) && !ONE_IN_S.test(last))) return thing;
  return `${/^(?!uni|use|usu|eu|one\b|ufo)[aeiou]|^(hour|honest|heir)/i.test(thing) ? "an" : "a"} ${thing}`;
}

export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}
