import { contextMethods } from "./context.ts";
import { historyMethods } from "./history.ts";
import type { Methods, Services } from "./services.ts";
import { sessionTaskMethods } from "./session-tasks.ts";
import { workspaceMethods } from "./workspace.ts";

export function createSeldomMethods(services: Services): Methods {
  return {
    ...historyMethods(services),
    ...contextMethods(services),
    ...workspaceMethods(services),
    ...sessionTaskMethods(services),
  };
}
