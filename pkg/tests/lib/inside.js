// A file of the package's inside, by its name, or another one by its address: what no one outside can import.
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

export async function inside(name) {
  const file = typeof name === "string" ? new URL(`../../src/${name}.ts`, import.meta.url) : name;
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(file)],
    bundle: true,
    write: false,
    format: "esm",
    define: { __VERSION__: '"test"' },
    external: ["*.wasm"],
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
}
