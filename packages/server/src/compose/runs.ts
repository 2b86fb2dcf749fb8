/** Services of the runs of prompts and of queued commands. */
import type { Governor } from "../limits/governor.ts";
import type { CommandServices } from "../session/abilities/commands/command-types.ts";
import { lookAround, type SurroundingServices } from "../session/abilities/context/surroundings.ts";
import { announceChange } from "../session/open/change-session.ts";
import type { RunServices } from "../session/runs/run.ts";
import type { ModelCalls } from "./model-calls.ts";
import type { ServerContext } from "./server-context.ts";

/** Longer than this without a checkpoint makes resuming slow. */
const CHECKPOINT_EVERY_CHARACTERS = 1024 * 1024;

export interface RunParts {
  readonly calls: ModelCalls;
  readonly commands: CommandServices;
  readonly governor: Governor;
  readonly surroundings: SurroundingServices;
}

export function createRuns({ logger }: ServerContext, parts: RunParts): RunServices {
  return {
    ...parts.calls,
    places: parts.governor,
    lookAround: (session) => lookAround(session, parts.surroundings),
    runCommand: async (session, command, signal) => {
      const { runQueuedCommand } = await import("../methods/seldom-loaded.ts");
      return runQueuedCommand(parts.commands, session, command, signal);
    },
    onIdle: (session) => {
      announceChange(session);
      if (session.charactersSinceCheckpoint > CHECKPOINT_EVERY_CHARACTERS) {
        session
          .checkpoint()
          .catch((error) =>
            logger.warning("a checkpoint could not be written", { sessionId: session.id, error }),
          );
      }
    },
  };
}
