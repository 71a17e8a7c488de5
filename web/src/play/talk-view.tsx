// Talk with a model whose world is not this page's: it reads what the visitor writes, and says what it would say there.
import { useEffect, useRef } from "preact/hooks";
import { agent, brought, info } from "../agent";
import { ModelPicker } from "../model-picker";
import { TroubleNotice } from "../ui/bits";
import { announce } from "../ui/announce";
import { another, answer, begin, busy, conversation, end, suggested, trouble, writing } from "./talk";

export function TalkView() {
  const world = info.value?.world.replaceAll("_", " ");
  return (
    <>
      <p class="lead">
        This model learned to act in <strong>{world}</strong>. Here you are that world: write what it reads, and it says what it would say
        there.
      </p>
      <ModelPicker name="which-talk" />
      <section class="panel talk" aria-labelledby="talk-title">
        <h3 id="talk-title">Talk with {brought.value?.name ?? "it"}</h3>
        <TroubleNotice trouble={trouble.value} />
        {conversation.value ? <Talking /> : <Beginning />}
      </section>
    </>
  );
}

function Beginning() {
  const text = useRef<HTMLTextAreaElement>(null);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void begin(text.current?.value ?? "");
      }}
    >
      <div class="field">
        <label for="talk-opening">What it reads first</label>
        <textarea id="talk-opening" ref={text} defaultValue={suggested()} />
        {brought.value?.opening != null && <span class="hint">This is how a game of its world begins.</span>}
      </div>
      <button type="submit" class="button main" disabled={!agent.value || busy.value}>
        Begin
      </button>
    </form>
  );
}

function Talking() {
  const shown = conversation.value;
  const input = useRef<HTMLInputElement>(null);
  const last = shown?.lines.at(-1);
  const now = writing.value;
  useEffect(() => {
    if (!last || last.reply !== null || now !== null) return;
    announce(last.said || "It says nothing.");
    input.current?.focus();
  }, [last, now]);
  if (!shown) return null;
  return (
    <>
      <div class="lines">
        <pre>{shown.opening}</pre>
        {shown.lines.map((line, n) => (
          <div key={n}>
            <p class="said">{line.said || "(nothing)"}</p>
            {line.reply !== null && <pre>{line.reply}</pre>}
          </div>
        ))}
        {now !== null && <p class="said">{now || "…"}</p>}
      </div>
      <form
        class="field"
        onSubmit={(event) => {
          event.preventDefault();
          const reply = input.current?.value ?? "";
          if (busy.peek() || !input.current) return;
          input.current.value = "";
          void answer(reply);
        }}
      >
        <label for="talk-reply">What the world says back</label>
        <input id="talk-reply" ref={input} autocomplete="off" />
      </form>
      <div class="buttons">
        <button type="button" class="button" disabled={busy.value || shown.lines.length === 0} onClick={() => void another()}>
          Say something else
        </button>
        <button type="button" class="button" disabled={busy.value} onClick={end}>
          Begin again
        </button>
      </div>
    </>
  );
}
