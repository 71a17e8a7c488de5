// The things that can be thought of: a few of them, and all where they are wanted.
import { guessing } from "../agent";

/** So many are shown at once; of more, a sample. */
const FEW = 24;
const SAMPLE = 12;

/** Some things from all over the list, the same ones each time. */
function sampleOf(things: readonly string[]): string[] {
  const step = things.length / SAMPLE;
  return Array.from({ length: SAMPLE }, (_, n) => things[Math.floor((n + 0.5) * step)] as string);
}

function List({ things, label }: { things: readonly string[]; label: string }) {
  return (
    <ul class="things" aria-label={label}>
      {things.map((thing) => (
        <li key={thing}>{thing}</li>
      ))}
    </ul>
  );
}

export function Things() {
  const things = guessing.value?.things ?? [];
  if (things.length <= FEW) return <List things={things} label="The things to choose from" />;
  return (
    <>
      <List things={sampleOf(things)} label={`${SAMPLE} of the things to choose from`} />
      <details>
        <summary>Show all {things.length}</summary>
        <List things={things} label="All things to choose from" />
      </details>
    </>
  );
}
