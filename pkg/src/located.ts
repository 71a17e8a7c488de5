/** Where a world lives, and who answers for it there. */
import { ArcherError } from "./errors.js";
import { whole } from "./fetch.js";
import type { PlatformURL } from "./platform.js";
import type { BuiltIn, World, WorldSource } from "./types.js";
import { hostOf, type WorldHost } from "./world.js";

/** A world as an engine takes it. Only one that is `here` cannot be sent to another thread. */
export type Located =
  | { kind: "here"; host: WorldHost }
  | { kind: "module"; url: string; options: unknown }
  | { kind: "builtIn"; name: string; settings: Record<string, unknown> };

/** Where this world lives. */
export function located(source: WorldSource): Located {
  if (typeof source === "string") return module(source, undefined);
  if (typeof source !== "object" || source === null) {
    throw new ArcherError("usage", "A world is what defineWorld gives, or the address of a module that has one.");
  }
  if ("href" in source) return module(source.href, undefined);
  if ("builtIn" in source) {
    const { builtIn: name, settings } = source as BuiltIn;
    return { kind: "builtIn", name, settings };
  }
  if ("module" in source) return module(source.module, source.options);
  return { kind: "here", host: hostOf(source as World<unknown>) };
}

function module(address: string | PlatformURL, options: unknown): Located {
  return { kind: "module", url: whole(String(address)), options };
}

/** Who answers for a world on this thread. */
export async function hostFor(world: Located): Promise<WorldHost> {
  switch (world.kind) {
    case "here":
      return world.host;
    case "builtIn":
      if (world.name !== "games") throw new ArcherError("usage", `There is no world ${world.name} in the package.`);
      return (await (await import("./games-module.js")).GamesModule.of(world.settings)).host();
    case "module":
      return hostOf(await imported(world.url, world.options));
  }
}

async function imported(url: string, options: unknown): Promise<World<unknown>> {
  let found: unknown;
  try {
    ({ default: found } = (await import(/* @vite-ignore */ /* webpackIgnore: true */ /* turbopackIgnore: true */ url)) as { default?: unknown });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const hint = "Open the address in the browser: it must be a JavaScript module that this page may load.";
    throw new ArcherError("world", `The world's module ${url} could not be loaded: ${why}`, hint, { cause });
  }
  const world: unknown = typeof found === "function" ? await (found as (options: unknown) => unknown)(options) : found;
  if (typeof world !== "object" || world === null) {
    throw new ArcherError("world", `The module ${url} has no world.`, "Export what defineWorld gives as its default.");
  }
  return world as World<unknown>;
}
