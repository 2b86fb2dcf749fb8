/**
 * The disk around a session, as the session sees it. Looked at when a run begins, and again in a run only when
 * the session has moved or its settings have changed: within a run the system message stays as it is.
 */
import type { Instructions } from "../../../discovery/instructions.ts";
import type { Session } from "../../open/session.ts";
import { Slot } from "../../open/slot.ts";
import { type AgentServices, agentsOf, hasFileAgents, restoreAgent } from "../agents/agents.ts";
import { sessionContext } from "../workspace/session-context.ts";
import type { WorkingContext } from "../workspace/working-context.ts";
import { workingDirectoryOf } from "../workspace/working-directory.ts";
import { type InstructionServices, instructionsOf } from "./instructions.ts";

export interface Surroundings {
  readonly workingDirectory: string;
  readonly git: WorkingContext;
  readonly instructions: Instructions;
}

/** The files that are looked at, and where. */
export type SurroundingServices = InstructionServices & AgentServices;

interface Look {
  readonly settings: Session["settings"];
  readonly workingDirectory: string;
  readonly found: Promise<Surroundings>;
}

const lastLook = new Slot<Look>("awake");

/** A new look, for the run that begins. Never rejects. */
export function lookAround(session: Session, services: SurroundingServices): Promise<Surroundings> {
  const { settings } = session;
  const workingDirectory = workingDirectoryOf(services, session);
  const found = see(session, services, workingDirectory);
  lastLook.set(session, { settings, workingDirectory, found });
  return found;
}

/** As the run in progress sees them. Never rejects. */
export function surroundingsOf(session: Session, services: SurroundingServices): Promise<Surroundings> {
  const last = lastLook.of(session);
  const isGood =
    session.run !== undefined &&
    last?.settings === session.settings &&
    last.workingDirectory === workingDirectoryOf(services, session);
  return isGood ? last.found : lookAround(session, services);
}

async function see(
  session: Session,
  services: SurroundingServices,
  workingDirectory: string,
): Promise<Surroundings> {
  const git = await sessionContext(session.settings, workingDirectory);
  if (session.settings.customAgents?.length || hasFileAgents(session.settings))
    await agentsOf(session, services);
  // Its file may have changed, or gone.
  if (session.state.selectedAgent !== undefined) await restoreAgent(session, services);
  return { workingDirectory, git, instructions: await instructionsOf(session, services) };
}
