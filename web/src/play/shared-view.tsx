// A finished game that came with a link, and how a game becomes one.
import { signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { withArticle } from "../format";
import { addressOf } from "../route";
import { announce } from "../ui/announce";
import { ANSWERS } from "./asked";
import { linkTo, type SharedGame, unpack } from "./share";

/** A game as somebody else played it. */
export function SharedView({ packed }: { packed: string }) {
  const shown = useMemo(() => unpack(packed), [packed]);
  if (!shown) {
    return (
      <p class="notice wrong" role="alert">
        <span>
          <strong>This link holds no game.</strong> It may have been cut short. <a href={addressOf({ game: false })}>Play a game</a>{" "}
          instead.
        </span>
      </p>
    );
  }
  return (
    <div class="columns play">
      <section class="panel card end" aria-label="A shared game">
        <p class="count">A game that was shared with you</p>
        <p class="question">{headline(shown)}</p>
        <div class="buttons">
          <a class="button main" href={addressOf({ side: "agent", game: false })}>
            Play it yourself
          </a>
        </div>
      </section>
      <section class="history" aria-labelledby="shared-turns">
        <h3 id="shared-turns">The game</h3>
        <ol>
          {shown.turns.map((turn, n) => (
            <li key={n}>
              <span class="n num">{n + 1}</span>
              <span class="q">{turn.question}</span>
              <span class={`a ${turn.answer}`}>{ANSWERS[turn.answer]}</span>
            </li>
          ))}
        </ol>
      </section>
    </div>
  );
}

function headline({ thing, found, turns }: SharedGame): string {
  const questions = turns.length === 1 ? "1 question" : `${turns.length} questions`;
  if (found) return `It found ${withArticle(thing)} in ${questions}.`;
  return thing ? `It did not find ${withArticle(thing)} in ${questions}.` : `It did not find it in ${questions}.`;
}

/** The link that was made last, shown where it could not be copied. */
const made = signal<{ link: string; copied: boolean } | null>(null);

/** The button that copies the link to a game. */
export function Share({ game }: { game: SharedGame }) {
  const link = linkTo(game);
  useEffect(() => {
    made.value = null;
  }, [link]);
  const copy = async () => {
    const copied = await navigator.clipboard?.writeText(link).then(
      () => true,
      () => false,
    );
    made.value = { link, copied: copied ?? false };
    announce(copied ? "The link is copied." : "Copy the link from the field.");
  };
  return (
    <div class="share">
      <button type="button" class="button" onClick={() => void copy()}>
        {made.value?.copied ? "Link copied" : "Copy link to this game"}
      </button>
      {made.value && !made.value.copied && (
        <div class="field">
          <label for="link">Copy this link</label>
          <input id="link" readOnly value={made.value.link} onFocus={(event) => event.currentTarget.select()} />
        </div>
      )}
    </div>
  );
}
