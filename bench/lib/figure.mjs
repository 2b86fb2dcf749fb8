import { rounded } from "./statistics.mjs";

/**
 * One measured figure.
 * @param {string} name the same in every run of a question, so that two runs can be compared
 * @param {string} unit as it is printed: "ms", "MB", "turns/s", …
 * @param {{atMost?: number, atLeast?: number, exactly?: number}} [target]
 */
export function figure(name, value, unit, target) {
  const isMet = target === undefined ? {} : { target, met: meets(value, target) };
  return { name, value: rounded(value), unit, ...isMet };
}

function meets(value, { atMost, atLeast, exactly }) {
  if (atMost !== undefined) return value <= atMost;
  if (atLeast !== undefined) return value >= atLeast;
  return value === exactly;
}

export function targetText(target) {
  if (target === undefined) return "";
  if (target.atMost !== undefined) return `≤ ${target.atMost}`;
  if (target.atLeast !== undefined) return `≥ ${target.atLeast}`;
  return `= ${target.exactly}`;
}
