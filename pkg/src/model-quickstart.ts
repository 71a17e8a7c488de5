/**
 * Where the model is that knows ten things. It stands alone, so that a bundler copies no other.
 *
 * @module archer-web/models/quickstart
 */
import type { PlatformURL } from "./platform.js";
import { located } from "./runtime.js";

/** The address of the model file, for `LoadOptions.model`. */
const address: PlatformURL = located("quickstart.archer", () => new URL("./quickstart.archer", import.meta.url));
export default address;
