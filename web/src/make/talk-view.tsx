// The agent to play with: what it might say, with chances and the critic's view, and what the world replies.
import { fixed, percent, signed } from "../format";
import { tone } from "../inside/lens";
import { Progress, TroubleNotice } from "../ui/bits";
import { judge, learned, makeCritic, trouble as criticTrouble } from "./critic";
import { doing } from "./make";
import { Said } from "./said";
import { busy, newGame, playOn, scene, step, trouble } from "./talk";

export function Stage() {
  const shown = scene.value;
  return (
    <section class="panel stage" aria-labelledby="stage-title">
      <h3 id="stage-title">Play with it</h3>
      <TroubleNotice trouble={trouble.value ?? criticTrouble.value} />
      <div class="buttons">
        <button type="button" class="button" disabled={busy.value} onClick={() => void newGame()}>
          New game
        </button>
        {shown?.end === null && (
          <>
            <button type="button" class="button" disabled={busy.value} onClick={() => void step()}>
              Its turn
            </button>
            <button type="button" class="button" disabled={busy.value} onClick={() => void playOn()}>
              Play to the end
            </button>
          </>
        )}
        {!judge.value && learned.value === null && (
          <button type="button" class="button" disabled={doing.value !== null} onClick={() => void makeCritic()}>
            Train a critic
          </button>
        )}
      </div>
      {learned.value !== null && (
        <>
          <p class="small quiet learning">The agent plays some games, and a critic learns from them what each utterance is worth.</p>
          <Progress share={learned.value} label="Training the critic" />
        </>
      )}
      {shown && (
        <div class="pair">
          <div class="transcript" aria-live="polite">
            <Said text={shown.opening} />
            {shown.lines.map((line, n) => (
              <div key={n}>
                <p class="said">{line.said}</p>
                <Said text={line.reply ?? ""} />
              </div>
            ))}
            {shown.end !== null && (
              <p class="num">
                <b>{{ won: "Won", over: "Over", cut: "Cut off" }[shown.end] ?? shown.end}</b>, score{" "}
                {fixed(shown.lines.reduce((sum, line) => sum + line.reward, 0))}
              </p>
            )}
          </div>
          {shown.end === null && <Might />}
        </div>
      )}
    </section>
  );
}

function Might() {
  const { might = [], value = null } = scene.value ?? {};
  if (might.length === 0) return null;
  const judged = might.some((one) => one.critic !== null);
  return (
    <div>
      <table class="might">
        <caption>What it might say. Choose one to say it instead.</caption>
        <thead>
          <tr>
            <th scope="col">Utterance</th>
            <th scope="col">Chance</th>
            {judged && <th scope="col">Critic</th>}
          </tr>
        </thead>
        <tbody>
          {might.map((one) => (
            <tr key={one.text}>
              <th scope="row">
                <button type="button" class="link" disabled={busy.value} onClick={() => void step(one.text)}>
                  {one.text || "(nothing)"}
                </button>
              </th>
              <td class="num">{one.probability < 0.005 ? "<1%" : percent(one.probability)}</td>
              {judged && <td class={`num ${tone(one.critic ?? 0)}`}>{one.critic === null ? "" : signed(one.critic)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
      {value !== null && (
        <p class="small quiet">
          The critic expects {fixed(value)} more points from now on. Its column says how many more than that an utterance is worth.
        </p>
      )}
    </div>
  );
}
