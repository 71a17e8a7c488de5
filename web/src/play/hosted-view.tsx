// It thinks, you ask: a line to write in, and what was asked so far.
import type { HostState } from "archer-web/twenty-questions";
import { useLayoutEffect, useRef } from "preact/hooks";
import { agent, guessing } from "../agent";
import { go, route } from "../route";
import { TroubleNotice } from "../ui/bits";
import { ModelPicker } from "../model-picker";
import { ask, busy, ending, giveUp, hosted, spoken, takeBack, think, trouble } from "./hosted";
import { Things } from "./things";

export function Hosted() {
  const state = hosted.value;
  return (
    <>
      <TroubleNotice trouble={trouble.value} />
      {state && route.value.game ? <Game state={state} /> : <Welcome />}
    </>
  );
}

function Welcome() {
  return (
    <div class="columns play">
      <div class="welcome">
        <p class="lead">
          <strong>Now you ask.</strong> I’ll pick one of these things. Ask me anything in plain English, and see how many questions
          you need.
        </p>
        <ModelPicker name="which-hosted" />
        {agent.value ? <Things /> : <div class="things empty" />}
        <div class="begin">
          {hosted.value && (
            <button type="button" class="button main big" onClick={() => go({ game: true })}>
              Back to your game
            </button>
          )}
          <button
            type="button"
            class={`button big ${hosted.value ? "" : "main"}`}
            disabled={!agent.value}
            onClick={() => void think()}
          >
            Pick something
          </button>
        </div>
      </div>
    </div>
  );
}

function Game({ state }: { state: HostState }) {
  const over = state.status !== "ask";
  return (
    <div class="columns play">
      <section class="panel card" aria-label="Your turn">
        {over ? <Over state={state} /> : <Asking state={state} />}
      </section>
      <aside class="panel">
        <h3>It’s one of {guessing.value?.things.length} things</h3>
        <Things />
        <p class="small quiet">
          Ask yes-or-no questions about kinds, uses, sizes, materials, places or letters: “Is it bigger than a cat?”, “Is it made
          of wood?”, “Does it start with P?” To guess, ask “Is it a piano?” Every question counts, even one that I don’t understand.
        </p>
      </aside>
      <History state={state} />
    </div>
  );
}

function Asking({ state }: { state: HostState }) {
  const input = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => input.current?.focus(), []);
  const submit = (event: Event) => {
    event.preventDefault();
    const question = input.current?.value.trim();
    // What cannot be asked yet stays in the field.
    if (!question || !input.current || busy.peek()) return;
    input.current.value = "";
    void ask(question);
  };
  const last = state.turns.at(-1);
  return (
    <>
      <p class="count num">
        Question {state.turns.length + 1} <span class="quiet">of {state.maxTurns}</span>
      </p>
      {last ? (
        <p class="question reply">
          <span class="asked">{last.question}</span> {spoken(last)}
        </p>
      ) : (
        <p class="question">I’ve picked something. Ask away.</p>
      )}
      <form class="line" onSubmit={submit}>
        <div class="field">
          <label for="ask">Your question</label>
          <input
            id="ask"
            ref={input}
            autocomplete="off"
            autocapitalize="sentences"
            enterkeyhint="send"
            maxLength={200}
            placeholder="Is it alive?"
          />
        </div>
        <button type="submit" class="button main">
          Ask
        </button>
      </form>
      <div class="under">
        <button
          type="button"
          class="button plain tiny"
          disabled={state.turns.length === 0}
          onClick={() => void takeBack()}
        >
          Undo
        </button>
        <button type="button" class="button plain tiny" onClick={() => void giveUp()}>
          Give up
        </button>
      </div>
    </>
  );
}

function Over({ state }: { state: HostState }) {
  const button = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => button.current?.focus(), []);
  const best = guessing.value?.optimumReturn;
  return (
    <>
      <p class="count">{state.status === "found" ? "You got it!" : "Not found"}</p>
      <p class="question">{ending(state)}</p>
      {best != null && state.status === "found" && (
        <p class="quiet aside">A perfect player needs about {(1 - best).toFixed(1)} questions.</p>
      )}
      <div class="buttons">
        <button type="button" class="button main" ref={button} onClick={() => void think()}>
          Play again
        </button>
      </div>
    </>
  );
}

function History({ state }: { state: HostState }) {
  if (state.turns.length === 0) return null;
  return (
    <section class="history" aria-labelledby="asked-so-far">
      <h3 id="asked-so-far">So far</h3>
      <ol reversed>
        {[...state.turns].reverse().map((turn) => (
          <li key={turn.number}>
            <span class="n num">{turn.number}</span>
            <span class="q">{turn.meant ?? turn.question}</span>
            <span class={`a ${turn.understood ? turn.reply.replace(".", "").toLowerCase() : "unknown"}`}>
              {turn.understood ? turn.reply.replace(".", "") : turn.oneAtATime ? "One at a time" : "Not understood"}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
