/**
 * Reads what a model wrote as a tool's arguments. Models send numbers and booleans as text now and
 * then: that is understood, and anything else that does not fit is a failure that says what to change.
 */
export class ToolArgumentError extends Error {
  override readonly name = "ToolArgumentError";
}

type Arguments = Readonly<Record<string, unknown>>;

/** @throws ToolArgumentError unless it is an object. */
export function toArguments(args: unknown): Arguments {
  if (typeof args === "object" && args !== null && !Array.isArray(args)) return args as Arguments;
  throw new ToolArgumentError("the arguments must be a JSON object");
}

/** @throws ToolArgumentError when it is missing, is not text or is empty. */
export function requiredText(args: Arguments, name: string): string {
  const text = optionalText(args, name);
  if (text === undefined || text === "")
    throw new ToolArgumentError(`"${name}" is required and must be text`);
  return text;
}

/** @throws ToolArgumentError when it is there and is not text, or holds a NUL character. */
export function optionalText(args: Arguments, name: string): string | undefined {
  const value = args[name] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value !== "string") throw new ToolArgumentError(`"${name}" must be text`);
  return value;
}

/** Text that a system call takes. @throws ToolArgumentError when it holds a NUL character, too. */
export function withoutNul(text: string, name: string): string {
  if (text.includes("\0")) throw new ToolArgumentError(`"${name}" must not hold a NUL character`);
  return text;
}

/** @throws ToolArgumentError when it is there and is not a number; a number out of range is moved into it. */
export function optionalNumber(
  args: Arguments,
  name: string,
  range: { min: number; max: number },
): number | undefined {
  const value = args[name] ?? undefined;
  if (value === undefined) return undefined;
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof number !== "number" || Number.isNaN(number)) {
    throw new ToolArgumentError(`"${name}" must be a number`);
  }
  return Math.min(range.max, Math.max(range.min, number));
}

/** @throws ToolArgumentError when it is there and is not a boolean. */
export function optionalBoolean(args: Arguments, name: string): boolean | undefined {
  const value = args[name] ?? undefined;
  if (value === undefined || typeof value === "boolean") return value;
  if (value === "true" || value === "false") return value === "true";
  throw new ToolArgumentError(`"${name}" must be true or false`);
}

/** @throws ToolArgumentError when it is there and is none of the choices. */
export function optionalChoice<T extends string>(
  args: Arguments,
  name: string,
  choices: readonly T[],
): T | undefined {
  const text = optionalText(args, name);
  if (text === undefined) return undefined;
  const choice = choices.find((candidate) => candidate === text);
  if (choice === undefined) throw new ToolArgumentError(`"${name}" must be one of ${choices.join(", ")}`);
  return choice;
}

/** @throws ToolArgumentError when it is there and is not a list of texts. */
export function optionalTexts(args: Arguments, name: string): readonly string[] | undefined {
  const value = args[name] ?? undefined;
  if (value === undefined) return undefined;
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  throw new ToolArgumentError(`"${name}" must be a list of texts`);
}
