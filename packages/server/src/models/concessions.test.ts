import { expect, test } from "vitest";
import { Concessions } from "./concessions.ts";
import { ModelError } from "./model-provider.ts";
import { namesField } from "./named-field.ts";

interface Parts {
  readonly usage?: true;
}

const TABLE = {
  wire: "w",
  rows: [
    {
      field: "usage",
      isNamed: namesField("stream_options"),
      change: (parts: Parts) => (parts.usage ? {} : undefined),
    },
  ],
};
const refusal = () =>
  new ModelError("invalid-request", "refused", { refusal: { said: "Unknown parameter: 'stream_options'." } });

test("what a call tries goes out with no other call's requests until the provider has taken it", () => {
  const concessions = new Concessions();
  const one = new AbortController().signal;
  const other = new AbortController().signal;
  const sent = (call: AbortSignal) => {
    const request = concessions.for(TABLE, "m", call);
    return { request, parts: request.apply({ usage: true } as Parts) };
  };
  const first = sent(one);
  expect((first.request.refused(refusal()) as ModelError).remedy).toBeDefined();
  const beside = sent(other);
  expect(beside.parts).toEqual({ usage: true });
  beside.request.taken();
  expect(sent(other).parts).toEqual({ usage: true });
  const again = sent(one);
  expect(again.parts).toEqual({});
  again.request.taken();
  expect(sent(other).parts).toEqual({});
});

test.each([
  [
    {
      said: "Invalid schema for function 'stream_options': None is not valid",
      parameter: "tools[0].function.parameters",
    },
  ],
  [{ said: "Invalid schema for function 'stream_options': expected an object" }],
  [{ said: 'The tool "stream_options" is not valid' }],
])("the name of a tool is no field that is refused: %j", (refusal) => {
  expect(namesField("stream_options")(refusal)).toBe(false);
});
