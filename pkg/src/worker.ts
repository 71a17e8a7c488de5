/**
 * The worker, with both modules. A page whose bundler must see `new Worker` starts this file as a module worker
 * (`LoadOptions.worker`). It exports nothing.
 *
 * @module archer-web/worker
 */
import { both } from "./modules.js";
import { serve } from "./serve.js";

serve(both);
