/** The worker, with both modules. Start this file as a module worker. */
import { both } from "./modules.js";
import { serve } from "./serve.js";

serve(both);
