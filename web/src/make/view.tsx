// Make your own: a world in an editor, training beside it, and the agent to play with.
import type { Evaluation } from "archer-web";
import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { count, fixed, percent, sentence } from "../format";
import { announce } from "../ui/announce";
import { Elapsed, Progress, Segmented, TroubleNotice } from "../ui/bits";
import { Chart } from "../ui/chart";
import { singleFlight } from "../single-flight";
import { Editor } from "./editor";
import {
  after, badLink, before, begunAt, choose, code, type Doing, doing, example, fault, foreign, goal, hasOwn, lastGame, learner, made, type Played, pause, points,
  progress, resume, stop, train, trainMore, trouble, write,
} from "./make";
import { give, projectOf, worldFile } from "./project";
import { linkTo } from "./share";
import { Said } from "./said";
import { Stage } from "./talk-view";
import { EXAMPLES, type ExampleName, NAMES } from "./worlds";
import "./make.css";

export function Make() {
  return (
    <>
      <div class="title">
        <h2 tabIndex={-1}>Make your own</h2>
      </div>
      <p class="lead">
        Write a world: what the agent reads, what it can say, and <strong>what each turn is worth</strong>. An untrained agent
        learns it in this tab, in about a minute.
      </p>
      <TroubleNotice trouble={trouble.value} />
      <div class="make">
        <Written />
        <div class="beside">
          <Training />
          <Curve />
          <LastGame />
        </div>
      </div>
      {made.value && doing.value !== "creating" && <Stage />}
      <Away />
    </>
  );
}

function Written() {
  const shown = fault.value;
  return (
    <section class="written" aria-labelledby="world-title">
      <h3 id="world-title" class="visually-hidden">
        The world
      </h3>
      <div class="field">
        <label for="example">Start from</label>
        <select id="example" value={example.value} onChange={(event) => choose(event.currentTarget.value as ExampleName)}>
          {NAMES.map((name) => (
            <option key={name} value={name}>
              {EXAMPLES[name].title}
            </option>
          ))}
        </select>
      </div>
      {badLink.value && <p class="notice wrong">The link holds no world. It may have been cut short.</p>}
      {foreign.value && (
        <p class="notice">
          This code came with a link. It has not run yet. When you start training, it runs with a time limit and without network or
          storage.
        </p>
      )}
      <Editor code={code.value} fault={shown} onChange={write} />
      {shown && (
        <p class="notice wrong" role="alert">
          <span>
            {shown.line > 0 && <strong>Line {shown.line}. </strong>}
            {sentence(shown.message)}
          </span>
        </p>
      )}
    </section>
  );
}

const SENTENCES: Record<Doing, string> = {
  reading: "Reading the world…",
  creating: "Making the agent…",
  "playing before": "Playing some games before training…",
  training: "",
  paused: "Paused.",
  "playing after": "Playing some games after training…",
};

function Training() {
  const now = doing.value;
  const learning = now === "training" || now === "paused";
  const done = points.value.length;
  return (
    <section class="panel training" aria-labelledby="train-title">
      <h3 id="train-title">Train</h3>
      {hasOwn() && (
        <Segmented<"new" | "own">
          label="What learns it"
          name="learner"
          value={learner.value}
          disabled={now !== null}
          options={[["new", "A new agent"], ["own", "Your model"]]}
          onChange={(which) => (learner.value = which)}
        />
      )}
      <div class="buttons">
        {now === null ? (
          <>
            <button type="button" class="button main" onClick={() => void train()}>
              {foreign.value ? "Run this code and train" : "Train"}
            </button>
            {made.value && made.value.code === code.value && done > 0 && (
              <button type="button" class="button" onClick={() => void trainMore()}>
                Train more
              </button>
            )}
          </>
        ) : (
          <>
            <button type="button" class="button main" disabled={!learning} onClick={now === "paused" ? resume : pause}>
              {now === "paused" ? "Resume" : "Pause"}
            </button>
            <button type="button" class="button" onClick={stop}>
              Stop
            </button>
          </>
        )}
      </div>
      {now && (
        <>
          <Progress share={learning ? Math.min(1, done / Math.max(goal.value, done)) : null} label="Training" />
          <p class="small num">
            {learning ? (
              <>
                Iteration <b data-testid="made-iteration">{done}</b> of {Math.max(goal.value, done)}
                {now === "paused" ? <>. Paused.</> : <Elapsed since={begunAt.value} first={false} />}
              </>
            ) : (
              SENTENCES[now]
            )}{" "}
            {now === "creating" && progress.value && sentence(progress.value)}
          </p>
        </>
      )}
      <Result />
    </section>
  );
}

/** How well it plays by now beside how it began. */
function Result() {
  const [first, last] = [before.value, after.value];
  if (!first && !last) return null;
  const told = (of: Evaluation) => `${fixed(of.meanReturn)} points and ${percent(of.winRate)} won`;
  return (
    <p class="result">
      {first && <>Before: {told(first)}.</>}
      {last && (
        <>
          {" "}
          <strong>Now: {told(last)}.</strong>
        </>
      )}
    </p>
  );
}

function Curve() {
  const shown = points.value;
  if (shown.length === 0) return null;
  const best = made.value?.agent.info.optimumReturn;
  return (
    <Chart
      title="Score per game"
      x={shown.map((point) => point.iteration)}
      xLabel="iteration"
      whole
      height={220}
      series={[
        {
          label: "mean of its games",
          colour: "--actor",
          data: shown.map((point) => point.mean),
          low: shown.map((point) => point.low),
          high: shown.map((point) => point.high),
        },
      ]}
      {...(best != null ? { mark: { label: "best possible", value: best } } : {})}
    />
  );
}

function LastGame() {
  const game = lastGame.value;
  if (!game) return null;
  return (
    <section class="panel" aria-labelledby="last-game">
      <h3 id="last-game">The latest game</h3>
      <Transcript game={game} />
    </section>
  );
}

/** Turns shown of a long game. */
const SHOWN_TURNS = 12;

function Transcript({ game }: { game: Played }) {
  const hidden = Math.max(0, game.turns.length - SHOWN_TURNS);
  return (
    <div class="transcript">
      <Said text={game.opening} />
      {hidden > 0 && <p class="small quiet">{count(hidden, "earlier turn")}</p>}
      {game.turns.slice(hidden).map((turn, n) => (
        <div key={n}>
          <p class="said">{turn.said}</p>
          <Said text={turn.reply} />
        </div>
      ))}
      <p class="small quiet num">
        {{ won: "Won", over: "Over", cut: "Cut off" }[game.end] ?? game.end}, score{" "}
        {fixed(game.turns.reduce((sum, turn) => sum + turn.reward, 0))}
      </p>
    </div>
  );
}

const gate = singleFlight();
const copied = signal<string | null>(null);

/** What can be taken along. */
function Away() {
  const ready = made.value !== null && points.value.length > 0;
  const [link, setLink] = useState<string | null>(null);
  const share = async () => {
    const made = linkTo(code.peek());
    const done = await navigator.clipboard?.writeText(made).then(
      () => true,
      () => false,
    );
    copied.value = done ? made : null;
    setLink(done ? null : made);
    announce(done ? "The link is copied." : "Copy the link from the field.");
  };
  const bytes = async () => made.peek()?.agent.export({ training: false });
  return (
    <section class="panel away" aria-labelledby="away-title">
      <h3 id="away-title">Take it with you</h3>
      <TroubleNotice trouble={gate.trouble.value} />
      <div class="buttons">
        <button type="button" class="button" onClick={() => void share()}>
          {copied.value !== null && copied.value === linkTo(code.value) ? "Link copied" : "Copy link to this world"}
        </button>
        <button type="button" class="button" onClick={() => give("world.js", worldFile(code.peek()), "text/javascript")}>
          Download world.js
        </button>
        <button
          type="button"
          class="button"
          disabled={!ready}
          onClick={() =>
            void gate.pass(async () => {
              const file = await bytes();
              if (file) give("agent.archer", file, "application/octet-stream");
            })
          }
        >
          Download the agent
        </button>
        <button
          type="button"
          class="button"
          disabled={!ready}
          onClick={() =>
            void gate.pass(async () => {
              const file = await bytes();
              if (file && made.peek()) give("my-agent.zip", await projectOf((made.peek() as { code: string }).code, file), "application/zip");
            })
          }
        >
          Download the project
        </button>
      </div>
      {link && (
        <div class="field">
          <label for="world-link">Copy this link</label>
          <input id="world-link" readOnly value={link} onFocus={(event) => event.currentTarget.select()} />
        </div>
      )}
      <p class="small quiet">
        The link contains the code, so nothing is uploaded. The project is a page with your world and your agent: unpack it, run{" "}
        <code>python3 <span class="nowrap">-m http.server</span></code> in its folder, and play. The same <code>world.js</code> trains in a terminal:{" "}
        <code>archer train <span class="nowrap">--world "node world.js"</span></code>.
      </p>
    </section>
  );
}
