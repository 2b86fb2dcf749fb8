/** Questions of an agent to people, and handlers that answer them. */
import type { McpOauthRequiredData } from "@rightseat/protocol";

/** The agent asks the user something. */
export interface UserInputRequest {
  /** The question. */
  question: string;
  /** Answers to choose from. */
  choices?: string[];
  /** Whether another answer may be given; default true. */
  allowFreeform?: boolean;
}

/** The answer of the user. */
export interface UserInputResponse {
  answer: string;
  /** Whether the answer is none of the choices. */
  wasFreeform: boolean;
}

/** Answers for the user. The agent is told an error that it throws. */
export type UserInputHandler = (
  request: UserInputRequest,
  invocation: { sessionId: string },
) => Promise<UserInputResponse> | UserInputResponse;

/** The agent has a plan and asks to go on with it. */
export interface ExitPlanModeRequest {
  /** The plan in short. */
  summary: string;
  /** The plan. */
  planContent?: string;
  /** The actions to choose from. */
  actions: string[];
  /** Which of them the server would choose. */
  recommendedAction: string;
}

/** The decision about a plan. */
export interface ExitPlanModeResult {
  approved: boolean;
  selectedAction?: string;
  /** Changes that the user wants in the plan. */
  feedback?: string;
}

/** Decides on a plan. */
export type ExitPlanModeHandler = (
  request: ExitPlanModeRequest,
  invocation: { sessionId: string },
) => Promise<ExitPlanModeResult> | ExitPlanModeResult;

/** The model's limit is reached; another could go on. */
export interface AutoModeSwitchRequest {
  errorCode?: string;
  /** Seconds until the limit is lifted, when known. */
  retryAfterSeconds?: number;
}

/** Whether another model goes on: this time, from now on, or not. */
export type AutoModeSwitchResponse = "yes" | "yes_always" | "no";

/** Decides whether another model goes on. */
export type AutoModeSwitchHandler = (
  request: AutoModeSwitchRequest,
  invocation: { sessionId: string },
) => Promise<AutoModeSwitchResponse> | AutoModeSwitchResponse;

/** One field of a form, as in MCP's elicitation. */
export type ElicitationSchemaField =
  | ({ type: "string"; enum: string[]; enumNames?: string[]; default?: string } & FieldLabel)
  | ({ type: "string"; oneOf: { const: string; title: string }[]; default?: string } & FieldLabel)
  | ({ type: "array"; items: { type: "string"; enum: string[] } } & ArrayField)
  | ({ type: "array"; items: { anyOf: { const: string; title: string }[] } } & ArrayField)
  | ({ type: "boolean"; default?: boolean } & FieldLabel)
  | ({
      type: "string";
      minLength?: number;
      maxLength?: number;
      format?: "email" | "uri" | "date" | "date-time";
      default?: string;
    } & FieldLabel)
  | ({ type: "number" | "integer"; minimum?: number; maximum?: number; default?: number } & FieldLabel);

interface FieldLabel {
  title?: string;
  description?: string;
}

interface ArrayField extends FieldLabel {
  minItems?: number;
  maxItems?: number;
  default?: string[];
}

/** A form. */
export interface ElicitationSchema {
  type: "object";
  properties: Record<string, ElicitationSchemaField>;
  required?: string[];
}

/** The value of a field. */
export type ElicitationFieldValue = string | number | boolean | string[];

/** The result of a form. */
export interface ElicitationResult {
  /** Whether the user filled the form in, refused it, or closed it. */
  action: "accept" | "decline" | "cancel";
  /** The fields' values, when it was filled in. */
  content?: Record<string, ElicitationFieldValue>;
}

/** A form to show to the user. */
export interface ElicitationParams {
  /** The question to the user. */
  message: string;
  requestedSchema: ElicitationSchema;
}

/** A form, or an address, that somebody wants shown to the user. */
export interface ElicitationContext {
  sessionId: string;
  message: string;
  requestedSchema?: ElicitationSchema;
  /** A form to fill in, or an address to open in a browser. */
  mode?: "form" | "url";
  /** The asker, for example an MCP server. */
  elicitationSource?: string;
  /** The address, in mode `url`. */
  url?: string;
}

/** Shows it, and says what became of it. */
export type ElicitationHandler = (
  context: ElicitationContext,
) => Promise<ElicitationResult> | ElicitationResult;

/** How a text field of `session.ui.input` looks. */
export interface UiInputOptions {
  title?: string;
  description?: string;
  minLength?: number;
  maxLength?: number;
  format?: "email" | "uri" | "date" | "date-time";
  default?: string;
}

/** Asks the user of whichever client can show a form; every method throws where none can. */
export interface SessionUiApi {
  /** Shows a form. */
  elicitation(params: ElicitationParams): Promise<ElicitationResult>;
  /** True only when the user agreed. */
  confirm(message: string): Promise<boolean>;
  /** The chosen option, or null. */
  select(message: string, options: string[]): Promise<string | null>;
  /** The text, or null. */
  input(message: string, options?: UiInputOptions): Promise<string | null>;
}

/** An MCP server wants OAuth, and the application can get a token. */
export type McpAuthRequest = Pick<
  McpOauthRequiredData,
  | "requestId"
  | "serverName"
  | "serverUrl"
  | "reason"
  | "wwwAuthenticateParams"
  | "resourceMetadata"
  | "staticClientConfig"
>;

/** A token for an MCP server. */
export interface McpAuthToken {
  accessToken: string;
  /** Default: Bearer. */
  tokenType?: string;
  /** Seconds the token lasts, when known. */
  expiresIn?: number;
}

/** A token, or that there will be none. */
export type McpAuthResult = ({ kind: "token" } & McpAuthToken) | { kind: "cancelled" };

/** Gets a token, or nothing to cancel the request. */
export type McpAuthHandler = (
  request: McpAuthRequest,
  context: { sessionId: string },
) =>
  | McpAuthResult
  | McpAuthToken
  | null
  | undefined
  | Promise<McpAuthResult | McpAuthToken | null | undefined>;

/** A slash command that was given. */
export interface CommandContext {
  sessionId: string;
  /** The whole command, for example `/deploy production`. */
  command: string;
  /** Its name, without the slash. */
  commandName: string;
  /** The text after the name. */
  args: string;
}

/** Carries out a slash command. The one who gave it is told an error that it throws. */
export type CommandHandler = (context: CommandContext) => Promise<void> | void;

/** A slash command that the application carries out. */
export interface CommandDefinition {
  /** Without the slash. */
  name: string;
  description?: string;
  handler: CommandHandler;
}
