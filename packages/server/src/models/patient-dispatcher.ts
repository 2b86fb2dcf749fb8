/** Where Node keeps the dispatcher of its built-in `fetch` (undici's `setGlobalDispatcher`). */
const GLOBAL_DISPATCHER = Symbol.for("undici.globalDispatcher.1");

type Dispatcher = NonNullable<RequestInit["dispatcher"]>;
type AgentConstructor = new (options: {
  readonly headersTimeout: number;
  readonly bodyTimeout: number;
}) => Dispatcher;

let patient: Dispatcher | undefined;

/**
 * Options for the built-in `fetch` that lift its own limit of five silent minutes, which no `fetch`
 * option reaches: long reasoning takes longer, and the idle timer of the call rules. Empty where the
 * application has put a dispatcher of its own in place (a proxy's), or where Node works differently.
 */
export function toPatientOptions(): { dispatcher?: Dispatcher } {
  const current = (globalThis as Record<symbol, unknown>)[GLOBAL_DISPATCHER];
  if (typeof current !== "object" || current === null || current.constructor.name !== "Agent") return {};
  patient ??= new (current.constructor as AgentConstructor)({ headersTimeout: 0, bodyTimeout: 0 });
  return { dispatcher: patient };
}
