/** Slash commands on what a session may do without asking. */
import { isAbsolute, resolve } from "node:path";
import {
  addDirectory,
  listPaths,
  resetApprovals,
  setApproveAll,
} from "../permissions/permission-settings.ts";
import { policyOf } from "../permissions/permissions.ts";
import { workingDirectoryOf } from "../workspace/working-directory.ts";
import type { BuiltInCommand } from "./command-types.ts";
import { toSwitch } from "./command-types.ts";

export const PERMISSION_COMMANDS: readonly BuiltInCommand[] = [
  {
    name: "allow-all",
    description: "Allow every tool call of this session without asking, or ask again",
    input: { hint: "[on|off]" },
    allowDuringAgentExecution: true,
    run: (_, session, input) => {
      const { approveAllTools = false } = policyOf(session);
      const wanted = input === "" ? !approveAllTools : toSwitch("allow-all", input);
      setApproveAll(session, wanted);
      return {
        kind: "completed",
        message: wanted ? "Every tool call is allowed from now on." : "Tool calls are asked about again.",
      };
    },
  },
  {
    name: "reset-allowed-tools",
    description: "Forget what was allowed for the rest of this session",
    allowDuringAgentExecution: true,
    run: (_, session) => {
      resetApprovals(session, false);
      return { kind: "completed", message: "What was allowed for the session counts no more." };
    },
  },
  {
    name: "list-dirs",
    description: "Show the directories that tools may use",
    allowDuringAgentExecution: true,
    run: (services, session) => {
      const { primary, directories } = listPaths(services.permissions, session);
      const all = [...new Set([primary, ...directories])];
      return { kind: "text", text: [...all, `Total: ${all.length} directories`].join("\n") };
    },
  },
  {
    name: "add-dir",
    description: "Let tools use one more directory",
    input: { hint: "<directory>", required: true, completion: "directory" },
    allowDuringAgentExecution: true,
    run: async (services, session, input) => {
      const directory = isAbsolute(input) ? input : resolve(workingDirectoryOf(services, session), input);
      await addDirectory(session, directory);
      return { kind: "completed", message: `Tools may use ${directory}.` };
    },
  },
];
