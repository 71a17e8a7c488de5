/** Where the model is that knows ten things. It stands alone, so that a bundler copies no other. */
import type { PlatformURL } from "./platform.js";
import { located } from "./runtime.js";

const address: PlatformURL = located("quickstart.archer", () => new URL("./quickstart.archer", import.meta.url));
export default address;
