// A world of the visitor's own and the agent that is trained in it: what is written, what runs, what it has shown.
import { type Agent, ArcherError, create, defineWorld, type Evaluation, type FineTune, type World } from "archer-web";
import { effect, signal } from "@preact/signals";
import { agent as playing, heavy, HEAVY_RUN, supplied, twin } from "../agent";
import { kept, oneOf } from "../kept";
import { type Point, pointOf } from "../learn/point";
import { route } from "../route";
import { type Trouble, troubleOf } from "../trouble";
import { announce } from "../ui/announce";
import { confinedWorker } from "../worker";
import { type Fault, placeOf } from "./code";
import { type Declared, Sandbox, type Told, WorldFault } from "./sandbox";
import { codeOf } from "./share";
import { EXAMPLES, type ExampleName, NAMES } from "./worlds";

/** The world that was chosen to start from. */
export const example = kept<ExampleName>("make.example", "door", oneOf(...NAMES), "tab");
/** The code as the visitor has it. */
export const code = kept<string>("make.code", EXAMPLES[example.peek()].code, (value): value is string => typeof value === "string", "tab");
export const iterations = signal<number>(EXAMPLES[example.peek()].iterations);
/** Whether the code came with a link and nobody here has run it yet. */
export const foreign = signal(false);
/** Said where a link holds no code. */
export const badLink = signal(false);

/** What is wrong with the code, and where. */
export const fault = signal<Fault | null>(null);
/** What went wrong otherwise. */
export const trouble = signal<Trouble | null>(null);

export type Doing = "reading" | "creating" | "playing before" | "training" | "paused" | "playing after";
export const doing = signal<Doing | null>(null);
/** What the creation says of itself. */
export const progress = signal<string>("");

/** A game as it was played. */
export interface Played {
  opening: string;
  turns: { said: string; reply: string; reward: number }[];
  end: string;
}

export const points = signal<Point[]>([]);
/** With which iteration the training ends, and when the one under way began, by the page's clock. */
export const goal = signal(0);
export const begunAt = signal(0);
export const before = signal<Evaluation | null>(null);
export const after = signal<Evaluation | null>(null);
/** The game that was finished last. */
export const lastGame = signal<Played | null>(null);
/** The agent that was made, and its world. */
export const made = signal<{ agent: Agent; world: World<number>; declared: Declared; code: string } | null>(null);

let sandbox: Sandbox | null = null;
let run: FineTune | null = null;
/** Rises with each training: what an earlier one still does touches nothing. */
let acting = 0;

/** What learns: an agent from nothing, or a copy of the model that the visitor brought. */
export const learner = signal<"new" | "own">("new");
/** Whether there is a choice. */
export const hasOwn = (): boolean => supplied.value === "own" && playing.value !== null;

/** Games played before and after, each with a seed of its own; and fewer, with fewer in an iteration, where each takes seconds. */
const MEASURED_GAMES = 100;
const HEAVY = { measured: 8, iteration: 8, iterations: 5 };
const measuredGames = (of: Agent): number => (heavy(of.info) ? HEAVY.measured : MEASURED_GAMES);

export function choose(name: ExampleName): void {
  example.value = name;
  iterations.value = EXAMPLES[name].iterations;
  write(EXAMPLES[name].code);
}

export function write(text: string): void {
  code.value = text;
  fault.value = null;
}

// Code that comes with a link is shown. Nothing of it runs before the visitor says so.
effect(() => {
  const packed = route.value.code;
  if (packed === null) return;
  const text = codeOf(packed);
  badLink.value = text === null;
  if (text === null) return;
  code.value = text;
  foreign.value = true;
  fault.value = null;
});

/** Makes an agent that knows nothing, and trains it in the world as it is written now. */
export async function train(): Promise<void> {
  const mine = begin();
  foreign.value = false;
  await guarded(mine, async () => {
    [points.value, before.value, after.value, lastGame.value] = [[], null, null, null];
    await letGo();
    doing.value = "reading";
    const text = code.peek();
    const { world, declared } = await opened(text);
    doing.value = "creating";
    const agent = await beginner(world);
    if (!mine()) return agent.dispose();
    made.value = { agent, world, declared, code: text };
    doing.value = "playing before";
    longer = false;
    const first = await agent.evaluate({ games: measuredGames(agent), world, sample: true }).catch((error: unknown) => {
      if (!tooShort(error)) throw error;
      longer = true;
      return null;
    });
    if (!mine()) return;
    before.value = first;
    await learn(agent, world, mine);
  });
}

/** Tokens of an utterance, for a model whose own world had shorter ones. */
const LONGER = 32;
/** Whether the model that learns needs them. It plays nothing in this world before it has been told. */
let longer = false;
const tooShort = (error: unknown): boolean => error instanceof ArcherError && /\bmax_new_tokens\b/i.test(error.message);

/** Who learns the world. */
async function beginner(world: World<number>): Promise<Agent> {
  if (learner.peek() === "own" && hasOwn()) {
    progress.value = "a copy of your model";
    return twin();
  }
  const onProgress = ({ message }: { message: string }) => (progress.value = message);
  return create({ world, size: "tiny", seed: 1, worker: confinedWorker, onProgress });
}

/** Trains the agent that is there for longer. */
export async function trainMore(): Promise<void> {
  const current = made.peek();
  if (!current) return;
  const mine = begin();
  await guarded(mine, () => learn(current.agent, current.world, mine));
}

async function learn(agent: Agent, world: World<number>, mine: () => boolean): Promise<void> {
  const done = points.peek().length;
  const more = heavy(agent.info) ? HEAVY.iterations : iterations.peek();
  goal.value = done + more;
  const tuning = agent.fineTune({
    world,
    iterations: more,
    ...(heavy(agent.info) && { games: HEAVY.iteration }),
    set: { ...(heavy(agent.info) && HEAVY_RUN), ...(longer && { max_new_tokens: LONGER }) },
  });
  run = tuning;
  doing.value = "training";
  begunAt.value = performance.now();
  announce("Training begins.");
  for await (const update of tuning) {
    if (!mine()) return;
    points.value = [...points.peek(), pointOf(update, done)];
    begunAt.value = performance.now();
  }
  if (!mine()) return;
  run = null;
  doing.value = "playing after";
  const last = await agent.evaluate({ games: measuredGames(agent), world });
  if (!mine()) return;
  after.value = last;
  announce(`Training is over. ${Math.round(100 * last.winRate)}% of its games are won.`);
}

export function pause(): void {
  if (doing.peek() !== "training" || !run) return;
  void run.pause();
  doing.value = "paused";
}

export function resume(): void {
  if (doing.peek() !== "paused") return;
  run?.resume();
  doing.value = "training";
}

/** Ends the training under way; what was learned so far stays. */
export function stop(): void {
  if (run) run.stop();
  else void begin(); // it has not begun to learn
}

function begin(): () => boolean {
  acting += 1;
  const number = acting;
  run?.stop();
  run = null;
  doing.value = null;
  [fault.value, trouble.value] = [null, null];
  return () => acting === number;
}

async function guarded(mine: () => boolean, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (mine()) tell(error);
  }
  if (!mine()) return;
  run = null;
  doing.value = null;
  progress.value = "";
}

/** Shows the fault of the visitor's code that an error is about, at its line where that is known. */
function tell(error: unknown): void {
  const found = faultOf(error);
  if (found) fault.value = found;
  else trouble.value = troubleOf(error);
  announce(found ? `The world has a fault${found.line > 0 ? ` in line ${found.line}` : ""}: ${found.message}` : troubleOf(error).message);
}

/** The last fault of the world itself. The package reports it in other words. */
let thrown: Fault | null = null;

function faultOf(error: unknown): Fault | null {
  if (error instanceof WorldFault) return error.fault;
  if (thrown) return thrown;
  if (!(error instanceof ArcherError) || (error.code !== "usage" && error.code !== "world")) return null;
  // A rule that was broken: it names the function that broke it.
  const named = /\b(start|act)\b/.exec(error.message)?.[1] as "start" | "act" | undefined;
  return { message: `${error.message} ${error.hint}`, ...placeOf(code.peek(), named ?? "act") };
}

/** The world of a code, run in its sandbox, as the package takes it. */
async function opened(text: string): Promise<{ world: World<number>; declared: Declared }> {
  thrown = null;
  const { sandbox: ready, declared } = await Sandbox.open(text);
  sandbox = ready;
  const games = new Map<number, Played>();
  const noted = async <T>(call: Promise<T>): Promise<T> => {
    try {
      return await call;
    } catch (error) {
      if (error instanceof WorldFault) thrown ??= error.fault;
      throw error;
    }
  };
  const { name, maxTurns, memory, oneLine, tasks, best, worst, turn, choices } = declared as Declared & Record<string, never>;
  const given = Object.fromEntries(
    Object.entries({ memory, oneLine, tasks, best, worst, turn, choices }).filter(([, value]) => value !== undefined && value !== null),
  );
  const world = defineWorld<number>({
    name,
    maxTurns,
    ...given,
    async start({ seed, task }) {
      const { game, opening } = await noted(ready.start(seed, task));
      games.set(game, { opening: String(opening?.text ?? ""), turns: [], end: "" });
      return { ...opening, state: game } as never;
    },
    async act(game, said) {
      const told = await noted(ready.act(game, said));
      note(games, game, said, told);
      return told as never;
    },
  });
  return { world, declared };
}

/** So often the game that was played last is shown. */
const SHOW_EVERY_MS = 400;
let shownAt = 0;

function note(games: Map<number, Played>, game: number, said: string, told: Told): void {
  const played = games.get(game);
  if (!played || !told) return;
  played.turns.push({ said, reply: String(told.reply ?? ""), reward: Number(told.reward) });
  if (!told.end) return;
  played.end = String(told.end);
  games.delete(game);
  if (performance.now() - shownAt < SHOW_EVERY_MS) return;
  shownAt = performance.now();
  lastGame.value = played;
}

async function letGo(): Promise<void> {
  const old = made.peek();
  made.value = null;
  sandbox?.close();
  sandbox = null;
  await old?.agent.dispose();
}

/** A game that the visitor steps through: the world answers in its sandbox. */
export async function openGame(seed: number): Promise<{ game: number; opening: Told } | null> {
  return sandbox ? sandbox.start(seed, null) : null;
}

export const answered = (game: number, said: string): Promise<Told> => {
  if (!sandbox) throw new WorldFault({ message: "There is no world.", line: 0, column: 0 });
  return sandbox.act(game, said);
};
