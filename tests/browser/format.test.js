// Numbers, things and sentences as the page writes them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { inside } from "../../pkg/tests/lib/inside.js";

const { bytes, about, count, duration, fixed, percent, sentence, signed, withArticle } = await inside(new URL("../../web/src/format.ts", import.meta.url));

test("numbers: a true minus sign, and no sign before what rounds to zero", () => {
  assert.deepEqual([fixed(-9.268), fixed(-0.004), fixed(0, 1), fixed(-0.04, 1)], ["−9.27", "0.00", "0.0", "0.0"]);
  assert.deepEqual([signed(0.31), signed(-0.31), signed(0.004), signed(-0.04, 1), signed(1, 0)], ["+0.31", "−0.31", "0.00", "0.0", "+1"]);
  assert.deepEqual([percent(0.133), about(92_873), about(1_340_000), bytes(1_460_000)], ["13%", "93k", "1.3M", "1.5 MB"]);
  assert.deepEqual([count(1, "question"), count(6, "question"), duration(50), duration(600)], ["1 question", "6 questions", "50 s", "10 min"]);
});

test("an article goes with what is counted, and with nothing else", () => {
  for (const [article, things] of [
    ["a", "piano bus cactus canvas unicorn key uniform"],
    ["an", "apple earring orange hour"],
    ["", "toothpaste paper broccoli spinach corn celery glue lego pants scissors headphones"],
  ]) {
    for (const thing of things.split(" ")) assert.equal(withArticle(thing), `${article} ${thing}`.trim());
  }
  assert.deepEqual([withArticle("my mother in law"), withArticle("a dog"), withArticle("ice cream cone")], ["my mother in law", "a dog", "an ice cream cone"]);
});

test("a sentence begins with a capital and ends", () => {
  assert.deepEqual([sentence("the file is empty"), sentence(" It is. "), sentence("Is it “so?”"), sentence("")], ["The file is empty.", "It is.", "Is it “so?”", ""]);
});
