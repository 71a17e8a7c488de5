// You think, it asks: the open question, four answers, what it suspects, and what was said so far.
import type { Answer, GameState } from "archer-web";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { agent, info, progress } from "../agent";
import { count, fixed, withArticle } from "../format";
import { letterKeys } from "../preferences";
import { Progress, TroubleNotice } from "../ui/bits";
import { ModelPicker } from "../model-picker";
import { ANSWERS, answer, askAgain, canUndo, game, guesses, leave, possible, reveal, start, tell, trouble, undo, verdict, writing } from "./asked";
import { Things } from "./view";

const KEYS: Record<string, Answer> = { y: "yes", n: "no", s: "sometimes", d: "unknown" };

/** Letters answer, Backspace takes back, Enter begins: unless the person is writing or on a control of their own. */
function onKey(event: KeyboardEvent): void {
  if (!letterKeys.peek() || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const target = event.target instanceof HTMLElement ? event.target : null;
  if (target?.closest("input:not([type=radio]), select, textarea, dialog, [popover]")) return;
  const state = game.peek();
  const said = KEYS[event.key.toLowerCase()];
  if (state?.status === "answer" && said && possible().includes(said)) void answer(said);
  else if (state && event.key === "Backspace") void undo();
  else if (event.key === "Enter" && !target?.closest("button, a, summary") && state?.status !== "answer") void start();
  else return;
  event.preventDefault();
}

export function Asked() {
  useEffect(() => {
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  const state = game.value;
  return (
    <>
      <TroubleNotice trouble={trouble.value} />
      {state === null ? <Welcome /> : <Table state={state} />}
    </>
  );
}

function Welcome() {
  const things = info.value?.things.length;
  const ready = agent.value !== null;
  const loading = progress.value;
  const share = loading?.total ? loading.loaded / loading.total : null;
  return (
    <div class="columns play">
      <div class="welcome">
      <p class="lead">
        <strong>Think of one of {things ? `these ${things} things` : "a few everyday things"}.</strong> The agent finds out
        which, with at most {info.value?.maxTurns ?? 20} questions that you answer by yes or no.
      </p>
      <ModelPicker name="which-asked" />
      {ready ? <Things /> : <div class="things empty" />}
      <div class="begin">
        <button type="button" class="button main big" disabled={!ready} onClick={() => void start()}>
          I have one in mind
        </button>
        {loading && (
          <div class="loading">
            <Progress share={share} label="Loading the agent" />
            <span class="small quiet">{loading.message}</span>
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
          <span><b class="actor">An actor</b> writes the questions, word by word. It began by copying a mediocre player.</span>
        </li>
        <li>
          <span>
            <b class="critic">A critic</b> reads the games it plays, thousands of them, and learns what each question was
            worth. Every question costs a point.
          </span>
        </li>
        <li>
          <span>The actor then says more often what the critic values.</span>
        </li>
      </ol>
      <p class="small quiet">
        Both are small language models, and both run here, on your device. See them <a href="#inside">think</a> and{" "}
        <a href="#learn">learn</a>.
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

function Card({ state }: { state: GameState }) {
  const open = state.turns.at(-1);
  if (state.status === "found") return <Found state={state} />;
  if (state.status === "lost") return <Lost />;
  const asking = writing.value !== null || state.status === "ask";
  const number = asking ? state.turns.length + 1 : (open?.number ?? 1);
  const keys = letterKeys.value;
  return (
    <section class="panel card" aria-label="The question">
      <p class="count num">
        Question {number} <span class="quiet">of {state.maxTurns}</span>
        {!asking && open?.guess && <span class="tag">a guess</span>}
      </p>
      <p class={`question ${asking ? "writing" : ""}`} aria-hidden={asking}>
        {asking ? writing.value : open?.question || "(it says nothing)"}
      </p>
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
      {state.status === "ask" && writing.value === null && (
        <button type="button" class="button" onClick={() => void askAgain()}>
          Ask again
        </button>
      )}
      <div class="under">
        <button
          type="button"
          class="button plain tiny"
          disabled={!canUndo(state)}
          aria-keyshortcuts={keys ? "Backspace" : undefined}
          onClick={() => void undo()}
        >
          Take back {keys && <kbd aria-hidden="true">⌫</kbd>}
        </button>
        <button type="button" class="button plain tiny" onClick={leave}>
          Give up this game
        </button>
      </div>
      {info.value && !info.value.sometimes && (
        <p class="small quiet aside">
          This agent’s world has no “Sometimes”: where it depends, say <b>Don’t know</b>.
        </p>
      )}
    </section>
  );
}

const keyOf = (said: Answer) =>
  Object.entries(KEYS).find(([, value]) => value === said)?.[0].toUpperCase() ?? "";

function Ends({ first = true }: { first?: boolean }) {
  const button = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => {
    if (first) button.current?.focus();
  }, []);
  return (
    <div class="buttons">
      <button type="button" class="button main" ref={button} onClick={() => void start()}>
        Play again
      </button>
      <a class="button" href="#inside">
        Look inside this game
      </a>
      <button type="button" class="button plain" onClick={() => void undo()}>
        Take back the last answer
      </button>
    </div>
  );
}

function Found({ state }: { state: GameState }) {
  const best = info.value?.optimumReturn;
  return (
    <section class="panel card end" aria-label="The end">
      <p class="count">
        Found in <strong class="num">{count(state.turns.length, "question")}</strong>
      </p>
      <p class="question">It is {withArticle(state.found ?? "")}.</p>
      <p class="quiet aside">
        Each question that is not the right guess costs a point, so this game was worth {fixed(state.returnSoFar, 0)}.
        {best != null && <> The best possible player gets {fixed(best, 1)} on average.</>}
      </p>
      <Ends />
    </section>
  );
}

function Lost() {
  const told = reveal.value;
  const question = useRef<HTMLParagraphElement>(null);
  // Before the next key can come, not after the next picture; and not into the field, where the letter of one answer
  // too many would land, and Backspace would no longer take the last one back.
  useLayoutEffect(() => {
    if (!told) question.current?.focus();
  }, []);
  return (
    <section class="panel card end" aria-label="The end">
      <p class="count">Not found</p>
      <p class="question" ref={question} tabIndex={-1}>
        You win. What was it?
      </p>
      {told ? (
        <>
          <p>{verdict(told)}</p>
          <Astray />
          <Ends />
        </>
      ) : (
        <>
          <Tell />
          <Ends first={false} />
        </>
      )}
    </section>
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
        <label for="told">It was</label>
        <input id="told" ref={input} list="known-things" autocomplete="off" placeholder="a piano" maxLength={60} />
        <datalist id="known-things">
          {info.value?.things.map((thing) => (
            <option key={thing} value={thing} />
          ))}
        </datalist>
      </div>
      <button type="submit" class="button main">
        Tell it
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
          <th scope="col">You</th>
          <th scope="col">Its facts</th>
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

/** Bars for the likeliest things. */
function Suspicions() {
  const now = guesses.value;
  const listed = now?.guesses.slice(0, 10) ?? [];
  return (
    <aside class="panel suspicions" aria-labelledby="suspects">
      <h3 id="suspects">What it would guess</h3>
      <ol>
        {listed.map((guess) => (
          <li key={guess.thing} class={guess.denied ? "denied" : ""}>
            <span class="thing">
              {guess.thing}
              {guess.denied && <span class="visually-hidden"> (already denied)</span>}
            </span>
            <span class="num p">{(100 * guess.probability).toFixed(0)} %</span>
            <span class="bar" aria-hidden="true">
              <span style={{ transform: `scaleX(${guess.probability})` }} />
            </span>
          </li>
        ))}
      </ol>
      {now && (
        <p class="small quiet">
          If it guessed now. The chance that its next question is a guess at all: {(100 * now.guessing).toFixed(0)} %.{" "}
          <a href="#inside">What does the critic think?</a>
        </p>
      )}
    </aside>
  );
}
