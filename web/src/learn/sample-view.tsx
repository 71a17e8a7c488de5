// The same game before and after, side by side.
import { count, withArticle } from "../format";
import { ANSWERS } from "../play/asked";
import type { Sample, SampleGame } from "./sample";

export function SampleGames({ sample: { thing, before, after } }: { sample: Sample }) {
  if (!before && !after) return null;
  return (
    <div class="sample">
      <h4>A game in which the thing is {withArticle(thing)}</h4>
      <div class="pair">
        <Side title="Before" game={before} />
        <Side title="After" game={after} />
      </div>
    </div>
  );
}

function Side({ title, game }: { title: string; game: SampleGame | null }) {
  return (
    <div>
      <h5>
        {title} {game && <span class={game.found ? "good" : "bad"}>{ended(game)}</span>}
      </h5>
      {game ? (
        <ol>
          {game.turns.map((turn, n) => (
            <li key={n}>
              <span class="q">{turn.question || "(nothing)"}</span> <span class={`a ${turn.answer}`}>{ANSWERS[turn.answer]}</span>
            </li>
          ))}
        </ol>
      ) : (
        <p class="small quiet">Shown when training ends.</p>
      )}
    </div>
  );
}

const ended = (game: SampleGame): string => {
  const questions = count(game.turns.length, "question");
  return game.found ? `found in ${questions}` : `not found in ${questions}`;
};
