/**
 * The worker of `archer-web/cpu`, to be started as a module worker (`LoadOptions.worker`). It exports nothing.
 *
 * @module archer-web/worker-cpu
 */
import { cpu } from "./modules-cpu.js";
import { serve } from "./serve.js";

serve({ cpu });
