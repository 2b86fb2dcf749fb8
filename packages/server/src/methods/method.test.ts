/** The type checker runs these: what is expected to be an error there fails `npm run check` when it is none. */
import { expect, test } from "vitest";
import type { Session } from "../session/open/session.ts";
import { asCheckedMethods, type Method, type Methods, type Scope, withSession } from "./method.ts";
import type { OLDER_NAMES } from "./older-names.ts";
import type { Services } from "./services.ts";

const scope = { principal: { tenant: "acme" } } as Scope;

test("a result that does not fit its schema is a type error", () => {
  const methods: Methods = {
    // @ts-expect-error expected a boolean
    "session.metadata.isProcessing": () => ({ processing: "yes" }),
    // @ts-expect-error expected `cancelled`
    "session.shell.cancelUserRequested": async () => ({}),
    // @ts-expect-error the wire has no such mode
    "session.mode.get": () => "perhaps",
    "session.name.set": () => null,
  };
  expect(Object.keys(methods)).toHaveLength(4);
});

test("a field that the schema does not have is a type error, wherever it came from", () => {
  const summary = { processing: true, since: 1 };
  const methods = { "session.metadata.isProcessing": () => summary };
  // @ts-expect-error the schema has no `since`
  expect(asCheckedMethods(methods)).toBe(methods);
});

test("parameters that the schema does not have cannot be read", () => {
  const methods: Methods = {
    // @ts-expect-error the schema has no `nickname`
    "session.name.set": ({ nickname }) => (nickname ? null : null),
  };
  expect(Object.keys(methods)).toHaveLength(1);
});

type SuccessorsFit = {
  [Older in keyof typeof OLDER_NAMES]: Method<(typeof OLDER_NAMES)[Older]> extends Method<Older>
    ? true
    : Older;
}[keyof typeof OLDER_NAMES];

test("what answers an older name takes and tells what that name does", () => {
  const fits: SuccessorsFit[] = [true];
  const withoutMisfits: true[] = fits;
  expect(withoutMisfits).toEqual(fits);
});

test("a method of one session is given the session of its tenant, or not called at all", async () => {
  const session = { id: "s1" } as Session;
  const used: unknown[] = [];
  const use = async (key: { sessionId: string }) => {
    used.push(key);
    if (key.sessionId !== "s1") throw new Error("session_not_found");
    return session;
  };
  const ofSession = withSession({ registry: { use } } as unknown as Services);
  const method = ofSession((found, params: { sessionId: string }, { principal }) => [
    found,
    params,
    principal,
  ]);
  const params = { sessionId: "s1" };
  expect(await method(params, scope)).toEqual([session, params, scope.principal]);
  await expect(method({ sessionId: "s2" }, scope)).rejects.toThrow("session_not_found");
  expect(used).toEqual([
    { tenant: "acme", sessionId: "s1" },
    { tenant: "acme", sessionId: "s2" },
  ]);
});
