import { commandMethods } from "./commands.ts";
import { contextMethods } from "./context.ts";
import { historyMethods } from "./history.ts";
import { hostSourceMethods } from "./host-sources.ts";
import { permissionMethods } from "./permissions.ts";
import type { Services } from "./services.ts";
import { sessionAccountMethods } from "./session-account.ts";
import { sessionAgentMethods } from "./session-agent.ts";
import { sessionAuthMethods } from "./session-auth.ts";
import { sessionCustomizationMethods } from "./session-customizations.ts";
import { sessionExtrasMethods } from "./session-extras.ts";
import { sessionMetadataMethods } from "./session-metadata.ts";
import { sessionModeMethods } from "./session-mode.ts";
import { sessionOptionsMethods } from "./session-options.ts";
import { sessionQueueMethods } from "./session-queue.ts";
import { sessionShellMethods } from "./session-shell.ts";
import { sessionTaskMethods } from "./session-tasks.ts";
import { sessionUiMethods } from "./session-ui.ts";
import { workspaceMethods } from "./workspace.ts";

/** Beside the methods, so that what a start does not load stays in one file. */
export { discoverAgents } from "../discovery/agents.ts";
export { discoverHooks } from "../discovery/hook-files.ts";
export { runQueuedCommand } from "../session/abilities/commands/slash-commands.ts";

export function createSeldomMethods(services: Services) {
  return {
    ...historyMethods(services),
    ...contextMethods(services),
    ...workspaceMethods(services),
    ...sessionTaskMethods(services),
    ...sessionAgentMethods(services),
    ...sessionCustomizationMethods(services),
    ...sessionExtrasMethods(services),
    ...sessionMetadataMethods(services),
    ...sessionQueueMethods(services),
    ...sessionShellMethods(services),
    ...permissionMethods(services),
    ...sessionAccountMethods(services),
    ...sessionAuthMethods(services),
    ...commandMethods(services),
    ...hostSourceMethods(services),
    ...sessionOptionsMethods(services),
    ...sessionModeMethods(services),
    ...sessionUiMethods(services),
  };
}
