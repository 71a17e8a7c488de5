// The frame around the three views: wordmark, navigation, backend badge, notices.
import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { agent, begin, progress, trouble } from "./agent";
import { Badge, ComputeOn } from "./badge";
import { Inside } from "./inside/view";
import { training } from "./learn/run";
import { Learn } from "./learn/view";
import { OwnDialog } from "./own-view";
import { Play } from "./play/view";
import { letterKeys, type Theme, theme } from "./preferences";
import { gameOf } from "./play/sides";
import { addressOf, route, type View, VIEWS, view } from "./route";
import { owner, takeOver } from "./tabs";
import { troubleOf } from "./trouble";
import { Announcer } from "./ui/announce";
import { TroubleNotice } from "./ui/bits";

const NAMES: Record<View, string> = { play: "Play", inside: "Inside", learn: "Learn", make: "Make your own" };

/** What is too long for a phone. */
const SHORT: Partial<Record<View, string>> = { make: "Make" };

export function App() {
  return (
    <>
      <a class="skip" href="#content" onClick={toContent}>
        Skip to the content
      </a>
      <header class="header">
        <div class="wide">
          <h1 class="wordmark">
            <Mark /> archer
          </h1>
          <nav class="views" aria-label="Views">
            {VIEWS.map((name) => (
              <a key={name} href={linkTo(name)} aria-current={view.value === name ? "page" : undefined}>
                {SHORT[name] ? (
                  <>
                    <span class="long">{NAMES[name]}</span>
                    <span class="short">{SHORT[name]}</span>
                  </>
                ) : (
                  NAMES[name]
                )}
                {name === "learn" && training.value && (
                  <span class="busy">
                    <span class="visually-hidden"> (training now)</span>
                  </span>
                )}
              </a>
            ))}
          </nav>
          <div class="end">
            <Badge />
          </div>
        </div>
      </header>
      <Content />
      <footer class="footer">
        <div class="wide">
          <span>
            Everything runs on your device. Nothing is sent anywhere.{" "}
            <a href="https://arxiv.org/abs/2402.19446" rel="noreferrer">
              The ArCHer paper
            </a>{" "}
            · <a href="./licences.txt">Licences</a>
          </span>
          <Preferences />
        </div>
      </footer>
      <OwnDialog />
      <Announcer />
    </>
  );
}

/** Where a view is: Play at the game that is under way. */
function linkTo(name: View): string {
  const { side } = route.value;
  return addressOf({ view: name, ...(name === "play" && { side, game: gameOf(side) }) });
}

function toContent(event: Event) {
  event.preventDefault();
  document.querySelector<HTMLElement>("main h2")?.focus();
}

function Content() {
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  const now = view.value;
  useEffect(() => {
    document.title = `${NAMES[now]} · archer`;
    if (!first.current) {
      scrollTo(0, 0);
      main.current?.querySelector<HTMLElement>("h2")?.focus();
    }
    first.current = false;
  }, [now]);
  return (
    <main id="content" class="wide" ref={main}>
      <Guest />
      <TroubleNotice trouble={trouble.value}>
        {!agent.value && !progress.value && (
          <>
            <ComputeOn name="instead" />
            <button type="button" class="button" onClick={() => void begin()}>
              Try again
            </button>
          </>
        )}
      </TroubleNotice>
      {now === "play" && <Play />}
      {now === "inside" && <Inside />}
      {now === "learn" && <Learn />}
      {now === "make" && <Later />}
    </main>
  );
}

/** The editor is large, and few views need it: it comes when it is wanted. */
const made = signal<(() => JSX.Element) | null>(null);

function Later() {
  useEffect(() => {
    if (!made.peek()) void import("./make/view").then(({ Make }) => (made.value = Make), (error: unknown) => (trouble.value = troubleOf(error)));
  }, []);
  const Make = made.value;
  return Make ? <Make /> : <h2 tabIndex={-1}>Make your own</h2>;
}

function Guest() {
  if (owner.value !== false) return null;
  return (
    <div class="notice" role="status">
      <p>
        <strong>archer is open in another tab.</strong> You can play here, but nothing is saved in this tab.
      </p>
      <button type="button" class="button" onClick={() => void takeOver()}>
        Use this tab instead
      </button>
    </div>
  );
}

function Preferences() {
  return (
    <span class="preferences">
      <label>
        <input
          type="checkbox"
          checked={letterKeys.value}
          onChange={(event) => (letterKeys.value = event.currentTarget.checked)}
        />{" "}
        Answer with letter keys
      </label>
      <label class="theme">
        Theme{" "}
        <select value={theme.value} onChange={(event) => (theme.value = event.currentTarget.value as Theme)}>
          <option value="auto">System</option>
          <option value="light">Light</option>
          <option value="dark">Dark</option>
        </select>
      </label>
    </span>
  );
}

function Mark() {
  return (
    <svg viewBox="0 0 32 32" fill="none" stroke="currentColor" stroke-width="2.4" stroke-linecap="round" aria-hidden="true">
      <path d="M26.3 13.2A11.3 11.3 0 1 1 19 5.9" />
      <circle cx="15.6" cy="16.4" r="3.2" fill="var(--critic)" stroke="none" />
      <path d="M15.6 16.4 28 4m0 0h-5M28 4v5" stroke="var(--critic)" stroke-linejoin="round" />
    </svg>
  );
}
