/**
 * What a bundler makes of a file that is no script. `archer-web/webgpu.wasm`, `archer-web/llm.wasm`,
 * `archer-web/games.wasm`, `archer-web/hearing.wasm`, `archer-web/twenty-questions.archer` and `archer-web/quickstart.archer` are of the same type.
 *
 * @module archer-web/cpu.wasm
 */

/** The address of the file, as the bundler says it. */
declare const address: string;
export default address;
