// The choice of what the agent is to learn.
import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { agent, guessing, supplied } from "../agent";
import { choose, kinds } from "./run";
import { filled, type Kind, lesson, NEW_THINGS, QUESTIONS, setLesson } from "./lesson";

/** So many things can come up more often. */
const MOST_OFTEN = 10;

export function LessonFields({ disabled }: { disabled: boolean }) {
  const wanted = lesson.value;
  const option = (kind: Kind, title: string, fields?: ComponentChildren) => kinds.value.includes(kind) && (
    <div class="option">
      <label>
        <input type="radio" name="lesson" disabled={disabled} checked={wanted.kind === kind} onChange={() => choose(kind)} />
        <span>{title}</span>
      </label>
      {wanted.kind === kind && fields && <div class="of-option">{fields}</div>}
    </div>
  );
  return (
    <fieldset class="lesson">
      <legend>What should it learn?</legend>
      {option("beginning", "To play, from the beginning", <Beginning />)}
      {option("often", "Things I think of often", <Often disabled={disabled} />)}
      {option("opinion", "My answer to a question", <Opinion disabled={disabled} />)}
      {option("new", "A new thing", <NewThing disabled={disabled} />)}
      {option("practice", supplied.value === "own" ? "To play its world better" : "Nothing new, just practice", <Practice />)}
    </fieldset>
  );
}

function Beginning() {
  return (
    <p class="small quiet">
      Starts over with a mediocre imitator that knows ten things, and turns it into a good player while you watch.
    </p>
  );
}

function Practice() {
  return (
    <p class="small quiet">
      {supplied.value === "own" ? "It plays games of its world, and learns from what each turn was worth." : "The agent is well trained already, so expect little change."}
    </p>
  );
}

function Often({ disabled }: { disabled: boolean }) {
  const input = useRef<HTMLInputElement>(null);
  const model = guessing.value;
  if (!model) return null;
  const chosen = filled(lesson.value, model).often;
  const add = () => {
    const thing = input.current?.value.trim().toLowerCase() ?? "";
    if (!input.current || !model.things.includes(thing)) return;
    input.current.value = "";
    if (!chosen.includes(thing)) setLesson({ often: [...chosen, thing].slice(-MOST_OFTEN) });
  };
  return (
    <>
      <ul class="things chosen" aria-label="Things that come up more often">
        {chosen.map((thing) => (
          <li key={thing}>
            {thing}
            <button
              type="button"
              aria-label={`Remove ${thing}`}
              disabled={disabled || chosen.length === 1}
              onClick={() => setLesson({ often: chosen.filter((other) => other !== thing) })}
            >
              ×
            </button>
          </li>
        ))}
      </ul>
      <div class="field">
        <label for="often">Add a thing</label>
        <input id="often" ref={input} list="often-things" disabled={disabled} autocomplete="off" onInput={add} onChange={add} />
        <datalist id="often-things">
          {model.things.map((thing) => (
            <option key={thing} value={thing} />
          ))}
        </datalist>
      </div>
    </>
  );
}

function Opinion({ disabled }: { disabled: boolean }) {
  const model = guessing.value;
  if (!model) return null;
  const { about, question, answer } = filled(lesson.value, model);
  return (
    <>
      <div class="field">
        <label for="about">When I think of</label>
        <select id="about" disabled={disabled} value={about} onChange={(event) => setLesson({ about: event.currentTarget.value })}>
          {model.things.map((thing) => (
            <option key={thing} value={thing}>
              {thing}
            </option>
          ))}
        </select>
      </div>
      <div class="field">
        <label for="opinion">and it asks</label>
        <input
          id="opinion"
          list="opinions"
          autocomplete="off"
          maxLength={120}
          disabled={disabled}
          value={question}
          onChange={(event) => setLesson({ question: event.currentTarget.value.trim() })}
        />
        <datalist id="opinions">
          {QUESTIONS.map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
      </div>
      <div class="field">
        <label for="opinion-answer">my answer is</label>
        <select
          id="opinion-answer"
          disabled={disabled}
          value={answer}
          onChange={(event) => setLesson({ answer: event.currentTarget.value === "no" ? "no" : "yes" })}
        >
          <option value="yes">Yes</option>
          <option value="no">No</option>
        </select>
      </div>
    </>
  );
}

function NewThing({ disabled }: { disabled: boolean }) {
  const model = guessing.value;
  if (!model) return null;
  const { thing } = filled(lesson.value, model);
  return (
    <div class="field">
      <label for="new-thing">It has never heard of</label>
      <input
        id="new-thing"
        list="new-things"
        autocomplete="off"
        maxLength={60}
        disabled={disabled || !agent.value}
        value={thing}
        onChange={(event) => setLesson({ thing: event.currentTarget.value.trim().toLowerCase() })}
      />
      <datalist id="new-things">
        {NEW_THINGS.filter((one) => !model.things.includes(one)).map((one) => (
          <option key={one} value={one} />
        ))}
      </datalist>
      <span class="hint">The fact table must know it: a unicorn, a submarine, a castle, a penguin…</span>
    </div>
  );
}
