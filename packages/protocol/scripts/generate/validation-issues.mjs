// Turns the errors of the compiled validators into issues that a person can act on.

const MAX_ISSUES = 8;

/** Wraps a compiled validator: returns issues, or undefined for valid data. Absent parameters count as `{}`. */
export function createParamsValidator(validate) {
  return (data) => (validate(data ?? {}) ? undefined : toIssues(validate.errors, data ?? {}));
}

/** Adds an error to the list of a compiled validator. */
export function fail(errors, instancePath, keyword, params) {
  const error = { instancePath, keyword, params };
  if (errors === null) return [error];
  errors.push(error);
  return errors;
}

function toIssues(errors, data) {
  const issues = new Map();
  for (const issue of resolveUnions(errors).map((error) => toIssue(error, data))) {
    if (!issues.has(issue.path)) issues.set(issue.path, issue);
  }
  return [...issues.values()].slice(0, MAX_ISSUES);
}

/**
 * A failed union comes as the errors of all its branches and then its own. Keeps those that say most: of a union
 * of scalars one error with all types, of a union of objects the errors deepest inside.
 */
function resolveUnions(errors) {
  let kept = [];
  for (const error of errors) {
    if (error.keyword === "discriminator" || error.keyword === "if") continue;
    if (error.keyword !== "anyOf") {
      kept.push(error);
      continue;
    }
    const isInside = (other) => other.instancePath.startsWith(error.instancePath);
    const inside = kept.filter(isInside);
    kept = [...kept.filter((other) => !isInside(other)), ...pickBranch(inside, error)];
  }
  return kept;
}

function pickBranch(inside, union) {
  const own = inside.filter((error) => error.instancePath === union.instancePath);
  if (inside.length > 0 && inside.every((error) => error.keyword === "type" && own.includes(error))) {
    return [{ ...inside[0], params: { type: [...new Set(inside.flatMap((error) => error.params.type))] } }];
  }
  if (
    inside.length > 0 &&
    inside.every((error) => error.keyword === "enum" && error.instancePath === inside[0].instancePath)
  ) {
    const allowedValues = [...new Set(inside.flatMap((error) => error.params.allowedValues))];
    return [{ ...inside[0], params: { allowedValues } }];
  }
  const withoutTags = inside.filter(
    (error) => error.keyword !== "enum" && !(error.keyword === "type" && own.includes(error)),
  );
  if (withoutTags.length === 0) return [{ ...union, keyword: "forms", params: { inside } }];
  if (
    own.filter((error) => error.keyword === "required").length > 1 &&
    withoutTags.every((error) => own.includes(error))
  ) {
    return [
      {
        ...union,
        keyword: "oneRequired",
        params: { names: own.map((error) => error.params.missingProperty).filter(Boolean) },
      },
    ];
  }
  const depth = (error) => error.instancePath.split("/").length;
  const deepest = Math.max(...withoutTags.map(depth));
  return withoutTags.filter((error) => depth(error) === deepest);
}

function toIssue(error, data) {
  const keys = error.instancePath
    .split("/")
    .slice(1)
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  if (error.keyword === "required") keys.push(error.params.missingProperty);
  return { path: toPath(keys), message: toMessage(error, readAt(data, keys)) };
}

function toPath(keys) {
  return keys.reduce(
    (path, key) => (/^\d+$/.test(key) ? `${path}[${key}]` : path ? `${path}.${key}` : key),
    "",
  );
}

function readAt(data, keys) {
  return keys.reduce((value, key) => (value === null || value === undefined ? undefined : value[key]), data);
}

function toMessage({ keyword, params }, value) {
  switch (keyword) {
    case "required":
      return "is required";
    case "type":
      return `expected ${[params.type].flat().join(" or ")}, got ${nameType(value)}`;
    case "enum":
      return `expected ${listValues(params.allowedValues)}, got ${showValue(value)}`;
    case "oneRequired":
      return `one of these is required: ${[...new Set(params.names)].join(", ")}`;
    case "minimum":
    case "maximum":
    case "exclusiveMinimum":
    case "exclusiveMaximum":
      return `expected a number ${params.comparison} ${params.limit}, got ${value}`;
    case "minLength":
      return params.limit === 1
        ? "expected text that is not empty"
        : `expected at least ${params.limit} characters, got ${value.length}`;
    case "maxLength":
      return `expected at most ${params.limit} characters, got ${value.length}`;
    case "minItems":
      return `expected at least ${params.limit} items, got ${value.length}`;
    case "maxItems":
      return `expected at most ${params.limit} items, got ${value.length}`;
    case "pattern":
      return `expected text that matches ${params.pattern}`;
    default:
      return `expected one of the accepted forms, got ${nameType(value)}`;
  }
}

function nameType(value) {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return value === undefined ? "nothing" : typeof value;
}

function listValues(values) {
  const shown = values.map((value) => JSON.stringify(value)).join(", ");
  return values.length === 1 ? shown : `one of ${shown}`;
}

/** Only short words are shown: a longer text may be something that nobody should read in a log. */
function showValue(value) {
  const isShortWord = typeof value === "string" && /^[A-Za-z_-]{0,24}$/.test(value);
  return isShortWord || typeof value === "boolean" || typeof value === "number"
    ? JSON.stringify(value)
    : nameType(value);
}
