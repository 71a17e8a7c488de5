// An agent in Cloudflare's workerd. Nothing can be compiled from bytes there, so the program is imported, and
// config.capnp says that it is WebAssembly. The address /?answers=no,yes has the game up to the third question.
import { load } from "archer-web/cpu";
import cpu from "archer-web/cpu.wasm";
import model from "archer-web/quickstart.archer";

const REPLIES = { yes: "Yes.", no: "No." };

export default {
  async fetch(request) {
    const given = new URL(request.url).searchParams.get("answers");
    const answers = given ? given.split(",") : [];
    if (!answers.every((answer) => answer in REPLIES)) return new Response("answers are yes and no, as in ?answers=no,yes\n", { status: 400 });
    // One for each request: what a request waits for must be its own.
    const agent = await load({ model, wasm: { cpu } });
    try {
      return new Response(await played(agent, answers));
    } finally {
      await agent.dispose();
    }
  },
};

/** The questions and answers so far, and the next question. */
async function played(agent, answers) {
  const talk = agent.start({ opening: "Questions:\n" });
  const lines = [];
  for (const answer of answers) {
    const { text } = await talk.say({ score: false });
    talk.hear(REPLIES[answer]);
    lines.push(`${text} ${REPLIES[answer]}`);
  }
  const { text } = await talk.say({ score: false });
  return [...lines, text].join("\n");
}
