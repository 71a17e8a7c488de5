// The worlds to start from.
import adventure from "./worlds/adventure.js?raw";
import door from "./worlds/door.js?raw";
import lake from "./worlds/frozen-lake.js?raw";
import shop from "./worlds/shop.js?raw";
import support from "./worlds/support.js?raw";
import wordle from "./worlds/wordle.js?raw";

export interface Example {
  title: string;
  code: string;
  /** Iterations after which a visitor sees that it has learned. */
  iterations: number;
}

export const EXAMPLES = {
  door: { title: "A locked door", code: door, iterations: 20 },
  shop: { title: "A shop that bargains", code: shop, iterations: 30 },
  lake: { title: "The frozen lake", code: lake, iterations: 20 },
  wordle: { title: "Wordle of 200 words", code: wordle, iterations: 50 },
  adventure: { title: "A tiny text adventure", code: adventure, iterations: 25 },
  support: { title: "A support line", code: support, iterations: 20 },
} as const satisfies Record<string, Example>;

export type ExampleName = keyof typeof EXAMPLES;
export const NAMES = Object.keys(EXAMPLES) as ExampleName[];
