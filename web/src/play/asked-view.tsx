// You think, it asks: the open question, four answers, what it suspects, and what was said so far.
import type { Answer, GameState } from "archer-web/twenty-questions";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { agent, guessing, progress } from "../agent";
import { count, sentence, withArticle } from "../format";
import { letterKeys } from "../preferences";
import { go, route } from "../route";
import { Progress, TroubleNotice } from "../ui/bits";
import { ModelPicker } from "../model-picker";
import {
  ANSWERS, answer, askAgain, canUndo, changedAt, game, held, hold, leave, possible, reveal, start, tell, trouble, undo, verdict,
  watched, watchOne, writing,
} from "./asked";
import { lesson } from "../learn/lesson";
import { sharedOf } from "./share";
import { Share } from "./shared-view";
import { Suspicions, Thoughts } from "./thinking-view";
import { Things } from "./things";

const KEYS: Record<string, Answer> = { y: "yes", n: "no", s: "sometimes", d: "unknown" };

/** Letters answer, Backspace takes back, Enter begins: unless the person is writing or on a control of their own. */
function onKey(event: KeyboardEvent): void {
  if (!letterKeys.peek() || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const target = event.target instanceof HTMLElement ? event.target : null;
  if (target?.closest("input:not([type=radio], [type=checkbox]), select, textarea, dialog, [popover]")) return;
  if (route.peek().shared !== null) return;
  const state = route.peek().game && watched.peek() === null ? game.peek() : null;
  const said = KEYS[event.key.toLowerCase()];
  if (state?.status === "answer" && said && possible().includes(said)) void answer(said);
  else if (state && event.key === "Backspace") void undo();
  else if (event.key === "Enter" && !target?.closest("button, a, summary") && mayBegin(state)) void start();
  else return;
  event.preventDefault();
}

/** A game begins at the first page or at the end of another, but not instead of one that is watched. */
const mayBegin = (state: GameState | null): boolean =>
  state ? state.status === "found" || state.status === "lost" : !(route.peek().game && game.peek());

export function Asked() {
  useEffect(() => {
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  const state = game.value;
  return (
    <>
      <TroubleNotice trouble={trouble.value} />
      {state === null || !route.value.game ? <Welcome /> : <Table state={state} />}
    </>
  );
}

function Welcome() {
  const things = guessing.value?.things.length;
  const ready = agent.value !== null;
  const loading = progress.value;
  const share = loading?.total ? loading.loaded / loading.total : null;
  return (
    <div class="columns play">
      <div class="welcome">
        <p class="lead">
          <strong>Think of {things ? `one of these ${things} things` : "an everyday thing"}.</strong> It will work out which one in
          at most {guessing.value?.maxTurns ?? 20} <span class="nowrap">yes-or-no</span> questions.
        </p>
        <ModelPicker name="which-asked" />
        {ready ? <Things /> : <div class="things empty" />}
        <div class="begin">
          {game.value && (
            <button type="button" class="button main big" onClick={() => go({ game: true })}>
              Back to your game
            </button>
          )}
          <button type="button" class={`button big ${game.value ? "" : "main"}`} disabled={!ready} onClick={() => void start()}>
            I have one in mind
          </button>
          <button type="button" class="button big" disabled={!ready} onClick={() => void watchOne()}>
            Surprise me: watch it play
          </button>
          {loading && (
            <div class="loading">
              <Progress share={share} label="Loading the agent" />
              <span class="small quiet">{sentence(loading.message)}</span>
            </div>
          )}
        </div>
      </div>
      <HowItLearned />
    </div>
  );
}

/** The method in three sentences, for somebody who has never heard of it. */
function HowItLearned() {
  return (
    <aside class="panel how" aria-labelledby="how">
      <h3 id="how">How it learned to ask</h3>
      <ol>
        <li>
          <span>
            <b class="actor">An actor</b> writes the questions, word by word. It started by copying another player’s games.
          </span>
        </li>
        <li>
          <span>
            <b class="critic">A critic</b> has read thousands of its games, and knows what each question is worth. Every
            question costs one point.
          </span>
        </li>
        <li>
          <span>As it trains, the actor learns to ask what the critic rates highest.</span>
        </li>
      </ol>
      <p class="small quiet">
        Both are small language models, and both run in this tab: nothing you do here leaves your device. See them{" "}
        <a href="#inside">think</a> and <a href="#learn">learn</a>.
      </p>
    </aside>
  );
}

function Table({ state }: { state: GameState }) {
  return (
    <div class="columns play">
      <Card state={state} />
      {state.status === "found" ? <HowItLearned /> : <Suspicions />}
      <History state={state} />
    </div>
  );
}

/** Said where another agent took over in the middle of a game. */
function Changed() {
  if (changedAt.value === null) return null;
  return (
    <p class="small notice" role="status">
      The agent has changed. A different one has been asking since question {changedAt.value}.
    </p>
  );
}

function Card({ state }: { state: GameState }) {
  const open = state.turns.at(-1);
  if (state.status === "found") return <Found state={state} />;
  if (state.status === "lost") return <Lost state={state} />;
  const asking = writing.value !== null || state.status === "ask";
  const number = asking ? state.turns.length + 1 : (open?.number ?? 1);
  return (
    <section class="panel card" aria-label="The question">
      <p class="count num">
        Question {number} <span class="quiet">of {state.maxTurns}</span>
        {!asking && open?.guess && <span class="tag">a guess</span>}
      </p>
      <p class={`question ${asking ? "writing" : ""}`} aria-hidden={asking}>
        {asking ? writing.value : open?.question || "(it says nothing)"}
      </p>
      {watched.value === null ? <Answers asking={asking} /> : <Watched about={watched.value} />}
      {state.status === "ask" && writing.value === null && (
        <button type="button" class="button" onClick={() => void askAgain()}>
          Ask again
        </button>
      )}
      <Thoughts asking={asking} />
      {watched.value === null && <Under state={state} />}
      <Changed />
    </section>
  );
}

function Answers({ asking }: { asking: boolean }) {
  const keys = letterKeys.value;
  return (
    <div class="answers" role="group" aria-label="Your answer">
      {possible().map((said) => (
        <button
          type="button"
          key={said}
          class={`button answer ${said}`}
          aria-disabled={asking}
          aria-keyshortcuts={keys ? keyOf(said) : undefined}
          onClick={() => void answer(said)}
        >
          {ANSWERS[said]} {keys && <kbd aria-hidden="true">{keyOf(said)}</kbd>}
        </button>
      ))}
    </div>
  );
}

/** Instead of the answers, where the table of facts gives them. */
function Watched({ about }: { about: string }) {
  return (
    <div class="watched">
      <p>
        The page is thinking of <b>{withArticle(about)}</b>, and its fact table answers.
      </p>
      <div class="buttons">
        <button type="button" class="button" onClick={() => hold(!held.peek())}>
          {held.value ? "Resume" : "Pause"}
        </button>
        <button type="button" class="button plain" onClick={leave}>
          Stop watching
        </button>
      </div>
    </div>
  );
}

function Under({ state }: { state: GameState }) {
  const keys = letterKeys.value;
  return (
    <>
      <div class="under">
        <button
          type="button"
          class="button plain tiny"
          disabled={!canUndo(state)}
          aria-keyshortcuts={keys ? "Backspace" : undefined}
          onClick={() => void undo()}
        >
          Undo {keys && <kbd aria-hidden="true">⌫</kbd>}
        </button>
        <button type="button" class="button plain tiny" onClick={leave}>
          Quit game
        </button>
      </div>
      {guessing.value && !guessing.value.sometimes && (
        <p class="small quiet aside">
          If it depends, choose <b>Don’t know</b>.
        </p>
      )}
    </>
  );
}

const keyOf = (said: Answer) =>
  Object.entries(KEYS).find(([, value]) => value === said)?.[0].toUpperCase() ?? "";

function Ends({ state, first = true }: { state: GameState; first?: boolean }) {
  const button = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => {
    if (first) button.current?.focus();
  }, []);
  return (
    <div class="buttons">
      <button type="button" class="button main" ref={button} onClick={() => void (watched.peek() === null ? start() : watchOne())}>
        {watched.value === null ? "Play again" : "Watch another"}
      </button>
      <a class="button" href="#inside">
        Look inside this game
      </a>
      <Share game={sharedOf(state, watched.value ?? reveal.value?.thing ?? null)} />
      {watched.value === null ? (
        <button type="button" class="button plain" onClick={() => void undo()}>
          Undo last answer
        </button>
      ) : (
        <button type="button" class="button plain" onClick={leave}>
          Play yourself
        </button>
      )}
    </div>
  );
}

/** What it is, in the words in which it was asked where that was a question of the plainest kind. */
function found(state: GameState): string {
  const asked = /^Is it ([^?]+)\?$/.exec(state.turns.at(-1)?.question ?? "");
  return `It’s ${asked?.[1] ?? withArticle(state.found ?? "")}!`;
}

const CONFETTI = 14;

/** A handful of confetti, flying apart all around. */
function Joy() {
  return (
    <span class="joy" aria-hidden="true">
      {Array.from({ length: CONFETTI }, (_, n) => {
        const angle = (2 * Math.PI * n) / CONFETTI;
        const reach = 1 + (n % 3) * 0.35;
        const [x, y] = [9 * reach * Math.cos(angle), 5 * reach * Math.sin(angle) - 2];
        return <i key={n} style={{ "--x": `${x.toFixed(1)}rem`, "--y": `${y.toFixed(1)}rem`, "--turn": `${90 * (n - 7)}deg` }} />;
      })}
    </span>
  );
}

function Found({ state }: { state: GameState }) {
  const best = guessing.value?.optimumReturn;
  const used = state.turns.length;
  return (
    <section class="panel card end won" aria-label="The end">
      <Joy />
      <p class="count">
        Found in <strong class="num">{count(used, "question")}</strong>
      </p>
      <p class="question">{found(state)}</p>
      <p class="quiet aside">
        {watched.value === null ? `You made it work for ${count(used, "question")}.` : `It needed ${count(used, "question")}.`}
        {best != null && <> A perfect player needs about {(1 - best).toFixed(1)}.</>}
      </p>
      <Ends state={state} />
    </section>
  );
}

function Lost({ state }: { state: GameState }) {
  const told = reveal.value;
  const question = useRef<HTMLParagraphElement>(null);
  // Before the next key can come, not after the next picture; and not into the field, where the letter of one answer
  // too many would land, and Backspace would no longer undo the last one.
  useLayoutEffect(() => {
    if (!told) question.current?.focus();
  }, []);
  if (watched.value !== null) {
    return (
      <section class="panel card end" aria-label="The end">
        <p class="count">Not found</p>
        <p class="question">It was {withArticle(watched.value)}.</p>
        <Ends state={state} />
      </section>
    );
  }
  return (
    <section class="panel card end" aria-label="The end">
      <p class="count">Not found</p>
      <p class="question" ref={question} tabIndex={-1}>
        You win. What was it?
      </p>
      {told ? (
        <>
          <p class="told">{verdict(told)}</p>
          <Astray />
          <TeachIt />
          <Ends state={state} />
        </>
      ) : (
        <>
          <Tell />
          <Ends state={state} first={false} />
        </>
      )}
    </section>
  );
}

/** A thing that the table knows and the agent does not can be taught. */
function TeachIt() {
  const told = reveal.value;
  if (!told?.known || told.listed) return null;
  return (
    <p>
      <a
        class="button"
        href="#learn"
        onClick={() => {
          lesson.value = { ...lesson.peek(), kind: "new", thing: told.thing };
        }}
      >
        Teach it {withArticle(told.thing)}
      </a>
    </p>
  );
}

function Tell() {
  const input = useRef<HTMLInputElement>(null);
  const submit = (event: Event) => {
    event.preventDefault();
    const thing = input.current?.value.trim();
    if (thing) void tell(thing);
  };
  return (
    <form class="line" onSubmit={submit}>
      <div class="field">
        <label for="told">It was …</label>
        <input id="told" ref={input} list="known-things" autocomplete="off" placeholder="a piano" maxLength={60} />
        <datalist id="known-things">
          {guessing.value?.things.map((thing) => (
            <option key={thing} value={thing} />
          ))}
        </datalist>
      </div>
      <button type="submit" class="button main">
        Submit
      </button>
    </form>
  );
}

function Astray() {
  const turns = reveal.value?.turns.filter((turn) => !turn.agrees) ?? [];
  if (turns.length === 0) return null;
  return (
    <table class="astray">
      <thead>
        <tr>
          <th scope="col">Question</th>
          <th scope="col">Your answer</th>
          <th scope="col">My answer</th>
        </tr>
      </thead>
      <tbody>
        {turns.map((turn) => (
          <tr key={turn.number}>
            <td>{turn.question}</td>
            <td>{turn.answer && ANSWERS[turn.answer]}</td>
            <td>{ANSWERS[turn.expected]}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function History({ state }: { state: GameState }) {
  const answered = state.turns.filter((turn) => turn.answer !== null).reverse();
  if (answered.length === 0) return null;
  return (
    <section class="history" aria-labelledby="so-far">
      <h3 id="so-far">So far</h3>
      <ol reversed>
        {answered.map((turn) => (
          <li key={turn.number}>
            <span class="n num">{turn.number}</span>
            <span class="q">{turn.question}</span>
            <span class={`a ${turn.answer}`}>{turn.answer && ANSWERS[turn.answer]}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}
