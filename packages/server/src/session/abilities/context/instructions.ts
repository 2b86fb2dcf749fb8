/** The custom instructions of a session, as its settings choose them. */
import { resolve } from "node:path";
import type { Discovery } from "../../../discovery/discovery-cache.ts";
import type { InstructionQuery, Instructions } from "../../../discovery/instructions.ts";
import type { Session } from "../../open/session.ts";
import { sessionContext } from "../workspace/session-context.ts";
import { withinRoot } from "../workspace/within-root.ts";
import { workingDirectoryOf } from "../workspace/working-directory.ts";

export interface InstructionServices {
  readonly load: Discovery<InstructionQuery, Instructions>;
  /** Where the user's own instructions are. */
  readonly home: string;
  readonly defaultWorkingDirectory: string;
}

const NONE: Instructions = { sources: [], warnings: [] };

/** None when the session skips them. Never rejects. */
export async function instructionsOf(session: Session, services: InstructionServices): Promise<Instructions> {
  const { settings } = session;
  if (settings.skipCustomInstructions === true) return NONE;
  const workingDirectory = workingDirectoryOf(services, session);
  const { confinement } = settings;
  if ((await withinRoot(confinement, [workingDirectory])).length === 0) return NONE;
  const directories = settings.instructionDirectories?.map((directory) =>
    resolve(workingDirectory, directory),
  );
  return services.load({
    workingDirectory,
    gitRoot: (await sessionContext(settings, workingDirectory)).gitRoot,
    home: services.home,
    directories: directories && (await withinRoot(confinement, directories)),
  });
}
