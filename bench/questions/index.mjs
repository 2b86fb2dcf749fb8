import { churn } from "./churn.mjs";
import { concurrent } from "./concurrent.mjs";
import { create } from "./create.mjs";
import { eachTurn } from "./each-turn.mjs";
import { hostile } from "./hostile.mjs";
import { idle } from "./idle.mjs";
import { largeLog } from "./large-log.mjs";
import { list } from "./list.mjs";
import { memory } from "./memory.mjs";
import { resume } from "./resume.mjs";
import { sdk } from "./sdk.mjs";
import { startup } from "./startup.mjs";
import { streaming } from "./streaming.mjs";
import { tenants } from "./tenants.mjs";
import { tool } from "./tool.mjs";
import { turn } from "./turn.mjs";

/**
 * Every question, in the order in which they are asked. One has a `name`, what it `asks`, `sizes` for a
 * full run, a quick one and one of another runtime (none: only ours can be asked), and `ask(bench)`,
 * which returns figures. What `ask` starts is ended for it, and its directories are removed.
 */
export const questions = [
  startup,
  memory,
  create,
  turn,
  tool,
  streaming,
  concurrent,
  tenants,
  hostile,
  churn,
  eachTurn,
  resume,
  largeLog,
  list,
  idle,
  sdk,
];
