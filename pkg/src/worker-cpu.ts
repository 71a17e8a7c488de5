/** The worker of archer-web/cpu. Start this file as a module worker. */
import { cpu } from "./modules-cpu.js";
import { serve } from "./serve.js";

serve({ cpu });
