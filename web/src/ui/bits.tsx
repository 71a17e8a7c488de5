// Small pieces that several views use.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { info } from "../agent";
import { duration } from "../format";
import type { Trouble } from "../trouble";

/** What went wrong and what to do about it. */
export function TroubleNotice({ trouble, children }: { trouble: Trouble | null; children?: ComponentChildren }) {
  if (!trouble) return null;
  return (
    <div class="notice wrong" role="alert" data-code={trouble.code}>
      <p>
        <strong>{trouble.message}</strong> {whole(trouble.hint)}
      </p>
      {children}
    </div>
  );
}

/** A text in which the flags of a command are not broken at their hyphens. */
function whole(text: string): ComponentChildren {
  const parts = text.split(/(--[\w-]+)/);
  return parts.length === 1 ? text : parts.map((part, n) => (n % 2 === 1 ? <span class="nowrap">{part}</span> : part));
}

/** Said instead of a game where the model plays in a world that has no place for a person. */
export function OtherWorld() {
  return (
    <div class="notice">
      <p>
        This model plays {info.value?.world.replaceAll("_", " ")}, a world that has no views here. You can <a href="#play">talk with it</a> and{" "}
        <a href="#learn">train it</a>.
      </p>
    </div>
  );
}

/** A choice of one among a few, side by side. */
export function Segmented<T extends string>(props: {
  label: string;
  name: string;
  value: T | null;
  options: readonly (readonly [T, string])[];
  disabled?: boolean;
  onChange: (value: T) => void;
}) {
  return (
    <fieldset class="segmented" disabled={props.disabled}>
      <legend class="visually-hidden">{props.label}</legend>
      {props.options.map(([value, text]) => (
        <label key={value}>
          <input
            type="radio"
            name={props.name}
            checked={props.value === value}
            onChange={() => props.onChange(value)}
          />
          <span>{text}</span>
        </label>
      ))}
    </fieldset>
  );
}

export function Progress({ share, label }: { share: number | null; label: string }) {
  const now = share === null ? {} : { "aria-valuenow": Math.round(100 * share) };
  return (
    <div class={share === null ? "progress unknown" : "progress"} role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={100} {...now}>
      <div style={{ transform: `scaleX(${share ?? 0.25})` }} />
    </div>
  );
}

/** Seconds after which it is said how long an iteration takes already. */
const LONG = 15;

/** How long the iteration under way takes already, where it takes long: nothing else moves meanwhile. */
export function Elapsed({ since, first }: { since: number; first: boolean }) {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  const seconds = (performance.now() - since) / 1000;
  if (seconds > LONG) return <>. This one takes {duration(seconds)} so far</>;
  return first ? <>. The first takes longest</> : null;
}
