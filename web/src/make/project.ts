// What a visitor takes along: the world as a file that pages and terminals read, or all of it as a folder that runs
// from any static server.
import { strToU8, zipSync } from "fflate";
import { withoutImports } from "./code";
import index from "./project/index.html?raw";
import play from "./project/play.js?raw";
import readme from "./project/README.txt?raw";
import serve from "./project/serve.js?raw";

/** The files of the package that a project needs, beside the page (vite.config.ts puts them there). */
declare const __PACKAGE_FILES__: string[];

const HEAD = "globalThis.defineWorld ??= (world) => world;\n";

/** The world as a module: the same file runs in a page and, by Node, in the terminal. */
export const worldFile = (code: string): string => `${HEAD}${withoutImports(code)}\n${serve}`;

/** The project as a zip file. */
export async function projectOf(code: string, agent: Uint8Array): Promise<Uint8Array> {
  const parts = await Promise.all(__PACKAGE_FILES__.map(async (name) => [`archer/${name}`, await fetched(`./archer/${name}`)] as const));
  return zipSync({
    "index.html": strToU8(index),
    "play.js": strToU8(play),
    "world.js": strToU8(worldFile(code)),
    "README.txt": strToU8(readme),
    "package.json": strToU8('{ "type": "module", "private": true }\n'),
    "agent.archer": [agent, { level: 0 }],
    ...Object.fromEntries(parts),
  });
}

async function fetched(address: string): Promise<Uint8Array> {
  const response = await fetch(new URL(address, document.baseURI));
  if (!response.ok) throw new Error(`${address} could not be fetched: the server says ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** Gives a file to the visitor. */
export function give(name: string, bytes: Uint8Array | string, type: string): void {
  const url = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
