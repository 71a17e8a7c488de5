#!/usr/bin/env node
// Answers the questions of an agent: `archer serve --model DIR`, then `node talk.mjs`.
//
// Each line of the input is a reply to what the agent said last; the input's end ends the game. Node 18 or
// later without packages; in a browser it is the same fetch, from a page of the server's own origin.

import { createInterface } from "node:readline";

const server = process.argv[2] ?? "http://127.0.0.1:8080";

/** What the server answers; its own sentence where it refuses. */
async function ask(method, path, fields = {}) {
  const body = method === "POST" ? JSON.stringify(fields) : undefined;
  const response = await fetch(server + path, { method, body });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${answer.error.code}: ${answer.error.message}`);
  return answer;
}

async function talk() {
  const { id } = await ask("POST", "/games", { opening: "Questions:" });
  const game = `/games/${id}`;
  console.log((await ask("POST", `${game}/say`)).text);
  for await (const reply of createInterface({ input: process.stdin })) {
    await ask("POST", `${game}/hear`, { reply: reply.trim() });
    console.log((await ask("POST", `${game}/say`)).text);
  }
  console.log(`${(await ask("DELETE", game)).turns} replies`);
}

talk().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
