/**
 * Agent factories, and the dynamic workflows that have taken their place, belong to extensions of the Copilot CLI,
 * which a server does not have. Their names are here so that programs that mention them can be loaded.
 */

/** @throws Error always. */
export function defineFactory(_definition: unknown): never {
  return refuse("defineFactory");
}

/** What the official SDK throws when a factory cannot be resumed; never thrown here. */
export class FactoryResumeError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.name = "FactoryResumeError";
    this.code = code;
  }
}

/** Whether a factory's run has come to its end. */
export function isFactoryRunTerminal(status: string): boolean {
  return ["completed", "halted", "cancelled", "error"].includes(status);
}

/** @throws Error always. */
export function defineWorkflow(_definition: unknown): never {
  return refuse("defineWorkflow");
}

/** What the official SDK throws when a workflow cannot be resumed; never thrown here. */
export class WorkflowResumeError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.name = "WorkflowResumeError";
    this.code = code;
  }
}

/** Whether a workflow's run has come to its end. */
export function isWorkflowRunTerminal(status: string): boolean {
  return ["completed", "halted", "paused", "cancelled", "error"].includes(status);
}

/** @throws Error that says that this is not to be had here, and where it is. */
export function refuse(name: string): never {
  throw new Error(
    `${name} is not supported by @rightseat/sdk: factories and workflows are for extensions of the Copilot CLI; use @github/copilot-sdk for those`,
  );
}
