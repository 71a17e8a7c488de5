import resolve from "@rollup/plugin-node-resolve";

// Rollup leaves files that are no scripts where they are: the build copies them, see package.json.
export default {
  input: "main.js",
  output: { dir: "dist", format: "es" },
  plugins: [resolve({ browser: true })],
};
