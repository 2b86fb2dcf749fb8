/** Parameters that a method takes, found by asking its validator what is still wrong with them. */
import { paramsValidators } from "@rightseat/protocol/validators";
import { pick } from "./random.ts";

type Fields = Record<string, unknown>;

export interface ParamsMaker {
  readonly random: () => number;
  /** The value of a property by its name; undefined: any text will do. */
  readonly valueFor: (name: string) => unknown;
  readonly text: () => string;
}

const ROUNDS = 16;

/** Starts with what is given and adds what the method requires. What cannot be made valid is sent as it is. */
export function validParams(method: string, given: Fields, make: ParamsMaker): Fields {
  const params = structuredClone(given);
  const validate = Object.hasOwn(paramsValidators, method) ? paramsValidators[method] : undefined;
  for (let round = 0; round < ROUNDS; round += 1) {
    const issues = validate?.(params) ?? [];
    if (issues.length === 0) break;
    for (const { path, message } of issues) set(params, path, guess(path, message, make));
  }
  return params;
}

function guess(path: string, message: string, make: ParamsMaker): unknown {
  const name = /(\w+)(\[\d+\])?$/.exec(path)?.[1] ?? "";
  if (message === "is required") return make.valueFor(name) ?? make.text();
  const [, oneRequired] = /^one of these is required: (\w+)/.exec(message) ?? [];
  if (oneRequired) return { [oneRequired]: true };
  const listed = message.match(/"[^"]*"/g);
  if (listed) return JSON.parse(pick(make.random, listed));
  if (message.startsWith("expected object") || message.includes("accepted forms")) return {};
  if (message.startsWith("expected array")) return [];
  if (message.startsWith("expected boolean")) return make.random() < 0.5;
  return /^expected (a )?(number|integer)/.test(message) ? 1 : make.text();
}

function set(params: Fields, path: string, value: unknown): void {
  const keys = path.split(/[.[\]]+/).filter((key) => key !== "");
  const last = keys.pop();
  if (last === undefined) return;
  let at = params;
  for (const key of keys) at = at[key] as Fields;
  if (at !== null && typeof at === "object") at[last] = value;
}
