/**
 * Names of the official SDK that have no counterpart here: canvases and agent factories belong to
 * extensions of a terminal, which a server does not have. They are exported so that programs that mention
 * them can be loaded; using them says what to do instead.
 */

/** A canvas of an extension. */
export class Canvas {
  constructor() {
    throw notSupported("Canvas");
  }
}

export class CanvasError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.name = "CanvasError";
    this.code = code;
  }
}

/** @throws Error always. */
export function createCanvas(_options: unknown): Canvas {
  throw notSupported("createCanvas");
}

/** @throws Error always. */
export function defineFactory(_definition: unknown): never {
  throw notSupported("defineFactory");
}

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

function notSupported(name: string): Error {
  return new Error(
    `${name} is not supported by @rightseat/sdk: canvases and factories are for extensions of the Copilot CLI; use @github/copilot-sdk for those`,
  );
}
