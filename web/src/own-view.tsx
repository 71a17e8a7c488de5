// The dialog in which a visitor brings a model: a file or an address, what it is, and its way here.
import type { ModelDescription } from "archer-web";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { bytes, count, roughly, sentence } from "./format";
import { moving, progress } from "./agent";
import { training, undecided } from "./learn/run";
import {
  cancel, close, deviceMemory, doing, fetched, forget, type Found, found, keptHere, lookAt, lookAtAddress, open, refuseFolder, share, show,
  tooSmallFor, trouble, use,
} from "./own";
import { knows } from "./worlds-known";
import { Progress, TroubleNotice } from "./ui/bits";
import "./own.css";

/** The button that opens the dialog. */
export function BringModel() {
  return (
    <button type="button" class="button tiny" disabled={moving.value || training.value || undecided()} onClick={show}>
      Bring your model…
    </button>
  );
}

/** Takes what was dropped: one file, or a folder, which is refused by what it is. */
function dropped(event: DragEvent): void {
  const item = event.dataTransfer?.items[0];
  if (item?.kind !== "file" || event.defaultPrevented) return;
  event.preventDefault();
  if (moving.peek() || training.peek() || undecided()) return;
  const entry = item.webkitGetAsEntry();
  const file = item.getAsFile();
  if (!open.peek()) show();
  if (entry?.isDirectory) refuseFolder(entry.name);
  else if (file) void lookAt(file);
}

function dragged(event: DragEvent): void {
  if (event.dataTransfer?.types.includes("Files")) event.preventDefault();
}

export function OwnDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  const shown = open.value;
  useEffect(() => {
    addEventListener("dragover", dragged);
    addEventListener("drop", dropped);
    return () => {
      removeEventListener("dragover", dragged);
      removeEventListener("drop", dropped);
    };
  }, []);
  useLayoutEffect(() => {
    if (shown) dialog.current?.showModal();
    else dialog.current?.close();
  }, [shown]);
  return (
    <dialog ref={dialog} class="own" aria-labelledby="own-title" onClose={() => open.peek() && close()}>
      {shown && <Content />}
    </dialog>
  );
}

function Content() {
  const title = useRef<HTMLHeadingElement>(null);
  const chosen = found.value;
  const loading = doing.value === "loading";
  // What was pressed is gone: the focus stays in the dialog, from the moment at which the new content is there. What
  // was found takes it itself.
  const choosing = !chosen && !loading;
  useLayoutEffect(() => {
    if (loading || choosing) title.current?.focus();
  }, [loading, choosing]);
  return (
    <>
      <h2 id="own-title" ref={title} tabIndex={-1}>
        Bring your model
      </h2>
      <p class="quiet">
        A file that <code>archer export</code> made: an agent, or a language model with what it learned. It runs in this tab and is sent
        nowhere.
      </p>
      <TroubleNotice trouble={trouble.value} />
      {loading ? <Loading /> : chosen ? <Known chosen={chosen} /> : <Choose />}
    </>
  );
}

function Choose() {
  const input = useRef<HTMLInputElement>(null);
  const address = useRef<HTMLInputElement>(null);
  const looking = doing.value === "looking";
  return (
    <>
      <div class="drop">
        <button type="button" class="button main" disabled={looking} onClick={() => input.current?.click()}>
          Choose a file…
        </button>
        <span class="small quiet">or drop it anywhere on this page</span>
        <input
          ref={input}
          class="visually-hidden"
          type="file"
          tabIndex={-1}
          aria-label="Model file to bring"
          onChange={(event) => {
            const file = event.currentTarget.files?.[0];
            event.currentTarget.value = "";
            if (file) void lookAt(file);
          }}
        />
      </div>
      <form
        class="field"
        onSubmit={(event) => {
          event.preventDefault();
          void lookAtAddress(address.current?.value ?? "");
        }}
      >
        <label for="own-address">Or the address of one</label>
        <div class="row">
          <input id="own-address" ref={address} type="text" inputMode="url" placeholder="https://example.org/agent.archer" autocomplete="off" spellcheck={false} required />
          <button type="submit" class="button" disabled={looking}>
            Look at it
          </button>
        </div>
        <span class="hint">
          Your browser fetches it from there. Large files are kept in this browser, so that a visit that is cut off goes on where it stood.
        </span>
      </form>
      {looking && (
        <p class="small" role="status">
          Looking at it…
        </p>
      )}
      <KeptList />
      <div class="buttons end">
        <button type="button" class="button" onClick={close}>
          Close
        </button>
      </div>
    </>
  );
}

function KeptList() {
  if (keptHere.value.length === 0) return null;
  return (
    <section aria-labelledby="own-kept">
      <h3 id="own-kept">Fetched before</h3>
      <ul class="kept">
        {keptHere.value.map(({ address, bytes: all, arrived }) => (
          <li key={address}>
            <span class="where">{address}</span>
            <span class="small quiet num">{arrived < all ? `${bytes(arrived)} of ${bytes(all)}` : bytes(all)}</span>
            <button type="button" class="button tiny" onClick={() => void lookAtAddress(address)}>
              Use<span class="visually-hidden"> {address}</span>
            </button>
            <button type="button" class="button tiny" onClick={() => void forget(address)}>
              Forget<span class="visually-hidden"> {address}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** What was found, before it is loaded. */
function Known({ chosen }: { chosen: Found }) {
  const { name, told } = chosen;
  const heading = useRef<HTMLHeadingElement>(null);
  // What was pressed is gone: the focus goes to what came of it.
  useLayoutEffect(() => heading.current?.focus(), []);
  return (
    <>
      <h3 ref={heading} tabIndex={-1}>
        {name}
      </h3>
      <dl class="facts">
        <Fact term="What it is">{kindOf(told)}</Fact>
        <Fact term="Its world">{told.world.replaceAll("_", " ")}</Fact>
        <Fact term="Here you can">{possible(told)}</Fact>
        <Fact term="File">
          {told.bytes === null ? "of unknown size" : bytes(told.bytes)}, weights in {told.precision}
          {told.kind === "language-model" && told.precision !== "f32" && " or fewer bits"}
          {chosen.address && <>, from {new URL(chosen.address).host}</>}
        </Fact>
        {told.memory && (
          <Fact term="Memory">
            about {roughly(told.memory.load)} to play, {roughly(told.memory.fineTune)} to train
          </Fact>
        )}
        {told.licence && <Fact term="Licence">{told.licence}</Fact>}
      </dl>
      <TooSmall told={told} />
      <div class="buttons">
        <button type="button" class="button main" disabled={moving.value} onClick={() => void use()}>
          {chosen.file ? "Load it" : "Fetch and load it"}
        </button>
        <button type="button" class="button" onClick={show}>
          Choose another
        </button>
        <button type="button" class="button" onClick={close}>
          Close
        </button>
      </div>
    </>
  );
}

function Fact({ term, children }: { term: string; children: preact.ComponentChildren }) {
  return (
    <div>
      <dt>{term}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function kindOf({ kind, layout, layers, width, rank, iterations }: ModelDescription): string {
  const shape = `${layout}, ${count(layers, "block")} of width ${width}`;
  const learned = iterations > 0 ? `; ${count(iterations, "iteration")} of learning behind it` : "";
  if (kind === "agent") return `An agent of archer (${shape})${learned}`;
  return `A language model (${shape})${rank > 0 ? ` with adapters of rank ${rank}` : ""}${learned}`;
}

/** What the page has for a model of this world. */
function possible({ world }: ModelDescription): string {
  if (world === "twenty_questions") return "play with it, look inside it, and train it";
  if (knows(world)) return "talk with it, and train it in its world";
  return "talk with it, and train it in a world that you write (Make your own)";
}

/** A warning, where what was measured is more than this device likely has. */
function TooSmall({ told }: { told: ModelDescription }) {
  const what = tooSmallFor(told);
  if (!what || !told.memory) return null;
  const needs = roughly(told.memory[what]);
  return (
    <p class="notice small" role="status">
      {what === "load"
        ? `This device is likely too small for it: it takes about ${needs}, and a page can count on about half of its ${deviceMemory() / 2 ** 30} GB. The tab may be ended. A file in fewer bits (archer export --precision q4) takes less.`
        : `Playing should work. To train it, this device is likely too small: that takes about ${needs}.`}
    </p>
  );
}

function Loading() {
  const now = fetched.value;
  const told = progress.value;
  const of = now ?? (told?.loaded ? told : null);
  return (
    <div class="loading" aria-live="polite">
      <Progress share={share.value} label="Loading your model" />
      <p class="small">
        {sentence(now ? "Fetching your model" : (told?.message ?? "Loading your model"))}{" "}
        {of && (
          <span class="num quiet" aria-hidden="true">
            {bytes(of.loaded)}
            {of.total && ` of ${bytes(of.total)}`}
          </span>
        )}
      </p>
      <div class="buttons end">
        <button type="button" class="button" onClick={cancel}>
          Cancel
        </button>
      </div>
    </div>
  );
}

