// What goes on in the agent while it asks: the question it chose beside others, and what it suspects.
import { percent, signed } from "../format";
import { tone } from "../inside/lens";
import { guesses, setThinking, thinking, thoughts } from "./asked";

/** Questions beside the one that was asked. */
const OTHERS = 3;

/** The question it chose among others, each with its chance and with what the critic thinks of it. */
export function Thoughts({ asking }: { asking: boolean }) {
  const seen = asking ? null : thoughts.value;
  const rows = seen?.asked ? [seen.asked, ...seen.alternatives.slice(0, OTHERS)] : [];
  return (
    <div class="thoughts">
      <label class="small">
        <input type="checkbox" checked={thinking.value} onChange={(event) => setThinking(event.currentTarget.checked)} /> Watch it
        think
      </label>
      {thinking.value && (
        <div class="strip-of-thoughts" aria-busy={rows.length === 0}>
          {rows.length > 0 && (
            <table>
              <thead>
                <tr>
                  <th scope="col">It might ask</th>
                  <th scope="col">Chance</th>
                  <th scope="col">Critic</th>
                </tr>
              </thead>
              <tbody>
                {rows.map((row, n) => (
                  <tr key={row.question} class={n === 0 ? "chosen" : ""}>
                    <th scope="row">{row.question || "(nothing)"}</th>
                    <td class="num">{row.probability < 0.005 ? "<1%" : percent(row.probability)}</td>
                    <td class={`num ${tone(row.advantage)}`}>{signed(row.advantage)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </div>
      )}
    </div>
  );
}

/** Bars for the likeliest things: those that were not denied, by their share among these; then the denied ones. */
export function Suspicions() {
  const now = guesses.value;
  const open = now?.guesses.filter((guess) => !guess.denied) ?? [];
  const left = open.reduce((sum, guess) => sum + guess.probability, 0);
  const denied = now?.guesses.filter((guess) => guess.denied) ?? [];
  return (
    <aside class="panel suspicions" aria-labelledby="suspects">
      <h3 id="suspects">What it would guess</h3>
      <ol>
        {open.slice(0, 10).map((guess) => {
          const share = left > 0 ? guess.probability / left : 0;
          return (
            <li key={guess.thing}>
              <span class="thing">{guess.thing}</span>
              <span class="num p">{percent(share)}</span>
              <span class="bar" aria-hidden="true">
                <span style={{ transform: `scaleX(${share})` }} />
              </span>
            </li>
          );
        })}
      </ol>
      {denied.length > 0 && (
        <p class="small denied">
          Ruled out:{" "}
          {denied.map((guess, n) => (
            <span key={guess.thing}>
              {n > 0 && ", "}
              <s>{guess.thing}</s>
            </span>
          ))}
        </p>
      )}
      {now && (
        <p class="small quiet">
          If it had to guess now. Chance that the next question is a guess: {percent(now.guessing)}.{" "}
          <a href="#inside">What does the critic think?</a>
        </p>
      )}
    </aside>
  );
}
