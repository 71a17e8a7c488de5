/**
 * Where the model is that knows 157 things. It stands alone, so that a bundler copies no other.
 *
 * @module archer-web/models/twenty-questions
 */
import type { PlatformURL } from "./platform.js";
import { located } from "./runtime.js";

/** The address of the model file, for `LoadOptions.model`. */
const address: PlatformURL = located("twenty-questions.archer", () => new URL("./twenty-questions.archer", import.meta.url));
export default address;
