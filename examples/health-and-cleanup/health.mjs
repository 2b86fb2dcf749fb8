// node health.mjs: one line, and 0 when the runtime is well, 1 when it is not.
import { checkHealth } from "./check-health.mjs";
import { createClient } from "./connect.mjs";

const health = await checkHealth(createClient, Number(process.env.DEADLINE_MS ?? 2_000));
console.log(
  health.healthy
    ? `healthy: version ${health.version}, answered in ${health.ms} ms`
    : `not healthy: ${health.reason}`,
);
process.exitCode = health.healthy ? 0 : 1;
