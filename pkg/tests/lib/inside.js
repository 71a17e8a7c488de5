// A file of the package's inside, which no one outside can import.
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

export async function inside(name) {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(`../../src/${name}.ts`, import.meta.url))],
    bundle: true,
    write: false,
    format: "esm",
    define: { __VERSION__: '"test"' },
    external: ["*.wasm"],
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
}
