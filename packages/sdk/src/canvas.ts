/** Canvases: panels that an application shows beside a conversation, and that the agent may open and use. */
import type { PublishedMethods } from "@rightseat/protocol";

/** JSON Schema of what a canvas or an action is given. */
export type CanvasJsonSchema = Record<string, unknown>;

type OpenRequest = PublishedMethods["canvas.open"]["params"];
type OpenResult = PublishedMethods["canvas.open"]["result"];
type CloseRequest = PublishedMethods["canvas.close"]["params"];
type ActionRequest = PublishedMethods["canvas.action.invoke"]["params"];

/** Something that the agent may do with an open canvas. */
export interface CanvasAction {
  /** Unique in the canvas; `canvas.` at the beginning is taken. */
  name: string;
  /** What it does, in words for the model. */
  description?: string;
  inputSchema?: CanvasJsonSchema;
  /** Carries the action out; what it returns is told to the model. */
  handler: (request: ActionRequest) => Promise<unknown> | unknown;
}

/** What the server is told of a canvas. */
export interface CanvasDeclaration {
  id: string;
  displayName: string;
  description: string;
  inputSchema?: CanvasJsonSchema;
  actions?: Omit<CanvasAction, "handler">[];
}

/** A canvas, and what the application does for it. */
export interface CanvasOptions extends Omit<CanvasDeclaration, "actions"> {
  actions?: CanvasAction[];
  /** Shows it; called again with the same `instanceId` to bring it to the front. */
  open: (request: OpenRequest) => Promise<OpenResult> | OpenResult;
  /** Called when it was closed. */
  onClose?: (request: CloseRequest) => Promise<void> | void;
}

/** What a handler throws to say what went wrong in a word that programs know. */
export class CanvasError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.name = "CanvasError";
    this.code = code;
  }

  /** The error that says that there is no such action. */
  static noHandler(): CanvasError {
    return new CanvasError("canvas_action_no_handler", "No handler implemented for this canvas action");
  }
}

/** A canvas as a session is given it; made by `createCanvas`. */
export class Canvas {
  readonly declaration: CanvasDeclaration;
  /** Shows it. */
  readonly open: CanvasOptions["open"];
  /** Called when it was closed. */
  readonly onClose: CanvasOptions["onClose"];
  readonly #handlers: ReadonlyMap<string, CanvasAction["handler"]>;

  constructor({ id, displayName, description, inputSchema, actions, open, onClose }: CanvasOptions) {
    const declared = actions?.map(({ handler: _, ...action }) => action);
    this.declaration = { id, displayName, description, inputSchema, actions: declared };
    this.open = open;
    this.onClose = onClose;
    this.#handlers = new Map(actions?.map(({ name, handler }) => [name, handler]));
  }

  /** @throws CanvasError where there is no such action; whatever its handler throws. */
  invoke(request: ActionRequest): unknown {
    const handler = this.#handlers.get(request.actionName);
    if (!handler) throw CanvasError.noHandler();
    return handler(request);
  }
}

/** Makes a canvas for `SessionConfig.canvases`. */
export function createCanvas(options: CanvasOptions): Canvas {
  return new Canvas(options);
}
