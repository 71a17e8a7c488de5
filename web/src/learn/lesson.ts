// What the agent is to learn: from nothing but imitation, or something new about the world.
import type { GamesInfo, WorldChange } from "archer-web/twenty-questions";
import { kept, shaped } from "../kept";

/** `beginning`: from the imitator; `often`, `opinion`, `new`: a changed world; `practice`: the same world. */
export type Kind = "beginning" | "often" | "opinion" | "new" | "practice";

export interface Lesson {
  kind: Kind;
  /** Things that come up more often. */
  often: string[];
  /** A thing, a question about it, and how it is answered from now on. */
  about: string;
  question: string;
  answer: "yes" | "no";
  /** A thing that the agent has never heard of. */
  thing: string;
}

export const lesson = kept<Lesson>(
  "lesson",
  { kind: "beginning", often: [], about: "", question: "", answer: "yes", thing: "" },
  (value): value is Lesson =>
    shaped(value, { kind: "string", often: "array", about: "string", question: "string", answer: "string", thing: "string" }),
);

export const setLesson = (part: Partial<Lesson>): void => {
  lesson.value = { ...lesson.peek(), ...part };
};

/** So few things are a small game. */
const FEW = 24;
const small = (info: GamesInfo) => info.things.length <= FEW;

/** How much likelier a thing is that comes up often: three of few things are soon most of them. */
const weightOf = (info: GamesInfo): number => (small(info) ? 4 : 16);

const known = (info: GamesInfo, thing: string) => info.things.includes(thing);

/** A lesson with what was left open filled in, as this game has use for. */
export function filled(wanted: Lesson, info: GamesInfo): Lesson {
  const some = ["dog", "truck", "piano", "football", "banana", ...info.things].filter((thing) => known(info, thing));
  const often = wanted.often.filter((thing) => known(info, thing));
  return {
    ...wanted,
    often: often.length > 0 ? often : some.slice(0, 3),
    about: known(info, wanted.about) ? wanted.about : known(info, "piano") ? "piano" : (some[0] ?? ""),
    question: wanted.question || (small(info) ? "Does it come in different colors?" : "Is it smooth?"),
    thing: wanted.thing && !known(info, wanted.thing) ? wanted.thing : small(info) ? "cat" : "unicorn",
  };
}

/** How the world becomes another; nothing where it stays as it is. */
export function changeOf(chosen: Lesson, info: GamesInfo): WorldChange | undefined {
  const weight = weightOf(info);
  switch (chosen.kind) {
    case "often":
      return { weights: Object.fromEntries(chosen.often.map((thing) => [thing, weight])) };
    case "opinion":
      // Among many things one would hardly ever come up, so it comes up more often.
      return {
        answers: { [chosen.question]: { [chosen.about]: chosen.answer } },
        ...(small(info) ? {} : { weights: { [chosen.about]: weight } }),
      };
    case "new":
      return { extra: [chosen.thing], weights: { [chosen.thing]: small(info) ? 3 : weight } };
    default:
      return undefined;
  }
}

/** The thing of the game that is shown before and after. */
export function shownThing(chosen: Lesson, info: GamesInfo): string {
  if (chosen.kind === "often") return chosen.often[0] as string;
  if (chosen.kind === "opinion") return chosen.about;
  if (chosen.kind === "new") return chosen.thing;
  return known(info, "dog") ? "dog" : (info.things[0] ?? "");
}

/** What is learned, in a few words that go on after "Learning ". */
export function subject(chosen: Lesson): string {
  switch (chosen.kind) {
    case "beginning":
      return "to play from the beginning";
    case "often":
      return `that ${list(chosen.often)} come up more often`;
    case "opinion":
      return `that “${chosen.question}” is answered ${chosen.answer === "yes" ? "Yes" : "No"} for ${chosen.about}`;
    case "new":
      return `a new thing: ${chosen.thing}`;
    case "practice":
      return "from more games";
  }
}

const list = (words: string[]): string =>
  words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;

/** Things to be taught that the table of facts knows; the agent may know them already. */
export const NEW_THINGS = [
  "unicorn", "dragon", "robot", "submarine", "penguin", "volcano", "castle", "snowman", "rainbow", "mermaid", "cat", "helicopter",
];

/** Questions on which people differ. */
export const QUESTIONS = [
  "Is it smooth?", "Is it heavy?", "Is it alive?", "Is it found in a school?", "Is it dangerous?", "Is it expensive?",
  "Does it come in different colors?", "Is it bigger than a microwave oven?", "Is it used every day?", "Is it soft?",
];
