"use client";

import { load } from "archer-web";

import { play } from "archer-web/twenty-questions";
import { useEffect, useState } from "react";

/** The agent computes in the visitor's browser. */
export default function Page() {
  const [said, say] = useState("Loading.");
  useEffect(() => {
    const ended = new AbortController();
    begin(ended.signal).then(say, (error) => ended.signal.aborted || say(`${error.message} ${error.hint}`));
    return () => ended.abort();
  }, []);
  return <p id="said">{said}</p>;
}

async function begin(signal) {
  const agent = await load({ signal });
  const game = await play(agent);
  const turn = await game.ask();
  return turn.question;
}
