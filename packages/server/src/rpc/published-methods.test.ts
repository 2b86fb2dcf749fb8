import { expect, test } from "vitest";
import { refusalOfMethod } from "./published-methods.ts";

test("a published method that is not served is refused by its name", () => {
  expect(refusalOfMethod("session.canvas.open")).toBe(
    "Method not supported by this server: session.canvas.open",
  );
});

test("the kind of model behind 'auto' is refused with the reason and with what to do", () => {
  expect(refusalOfMethod("session.model.switchAutoTier")).toBe(
    "Method not supported by this server: session.model.switchAutoTier " +
      "(which model 'auto' is, is GitHub's to say; choose a model by session.model.switchTo)",
  );
});

test("what the contract does not have is no method", () => {
  expect(refusalOfMethod("nothing.of.it")).toBeUndefined();
  expect(refusalOfMethod("session")).toBeUndefined();
});
