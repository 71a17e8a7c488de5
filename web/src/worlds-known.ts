// The worlds whose rules come with the page.

/** Those of the games' module; in the first of them a person has a part. */
const KNOWN = ["twenty_questions", "guess_my_city", "bandit", "recall", "unknown"];

export const knows = (world: string): boolean => KNOWN.includes(world);
