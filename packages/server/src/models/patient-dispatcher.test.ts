import { startScriptedModelServer } from "@rightseat/testing";
import { expect, it } from "vitest";
import { toPatientOptions } from "./patient-dispatcher.ts";

it("is one dispatcher that the built-in fetch takes", async () => {
  await using server = await startScriptedModelServer();
  await (await fetch(`${server.url}/models`)).text();
  const options = toPatientOptions();
  expect(options.dispatcher).toBeDefined();
  expect(toPatientOptions()).toEqual(options);
  const response = await fetch(`${server.url}/models`, options as RequestInit);
  expect(await response.json()).toMatchObject({ object: "list" });
});
