import { describe, expect, test } from "vitest";
import { isEnough, readFrameHead } from "./frame-head.ts";

describe("the id of a message that is not read whole", () => {
  test.each([
    [
      "is the request's, before its parameters",
      '{"jsonrpc":"2.0","id":7,"method":"session.send","params":{"x":"',
      7,
    ],
    ["may be text, with escapes and spaces", '{ "id" : "a\\"b" , "method": "x", "params": {', 'a"b'],
    [
      "is found behind nested values that are whole",
      '{"params":{"id":1,"list":[{"id":2}]},"id":3,"result":"',
      3,
    ],
    ["is not one inside the parameters", '{"jsonrpc":"2.0","method":"x","params":{"id":9,"y":"', undefined],
    ["is not one inside a text", '{"method":"\\"id\\":4","params":"\\"id\\":5', undefined],
    ["is not null", '{"id":null,"method":"x","params":{', undefined],
    ["is not there in what is no object", '[{"id":1}', undefined],
    ["is not there in no text", "", undefined],
  ])("%s", (_title, head, id) => {
    expect(readFrameHead(head).id).toBe(id);
  });

  test.each([
    ["at the end of the message", 'yyy"}},"id":12}', 12],
    ["before other scalars at the end", 'yyy"},"id":"q","method":"session.send"}\n', "q"],
    ["is not one of a nested object", 'yyy","id":12}}', undefined],
  ])("%s", (_title, tail, id) => {
    expect(readFrameHead('{"params":{"x":"yy', tail).id).toBe(id);
  });

  test("an answer is told from a request", () => {
    expect(readFrameHead('{"jsonrpc":"2.0","id":1,"result":{"x":"')).toEqual({ id: 1, isAnswer: true });
    expect(readFrameHead('{"jsonrpc":"2.0","id":1,"method":"result","params":{')).toEqual({
      id: 1,
      method: "result",
      isAnswer: false,
    });
  });
});

describe("the question that a message which is not read whole would have answered", () => {
  const METHOD = "session.tools.handlePendingToolCall";
  const question = { method: METHOD, sessionId: "s", requestId: "r", isAnswer: false };

  test.each([
    [
      "is told in front of the large part",
      `{"jsonrpc":"2.0","id":7,"method":"${METHOD}","params":{"sessionId":"s","requestId":"r","result":"yy`,
      "",
      { ...question, id: 7 },
    ],
    [
      "is told behind it",
      `{"jsonrpc":"2.0","method":"${METHOD}","params":{"result":{"text":"yy`,
      `yy","requestId":"no"},"sessionId":"s","requestId":"r"},"id":7}`,
      { ...question, id: 7 },
    ],
    [
      "is told on both sides",
      `{"id":7,"params":{"requestId":"r","result":"yy`,
      `y\\"sessionId\\":\\"no\\"","sessionId":"s"},"method":"${METHOD}"}`,
      { ...question, id: 7 },
    ],
    [
      "is told in parameters that are there whole",
      `{"params":{"sessionId":"s","requestId":"r","result":{"sessionId":"no"}},"id":7,"method":"${METHOD}"}`,
      "",
      { ...question, id: 7 },
    ],
    [
      "is not what its answer holds",
      `{"id":7,"method":"${METHOD}","params":{"result":{"requestId":"no","sessionId":"no","text":"yy`,
      `yy","requestId":"no"}}}`,
      { id: 7, method: METHOD, isAnswer: false },
    ],
    [
      "is not told by an answer",
      '{"id":7,"result":{"text":"yy',
      'yy","requestId":"no"}}',
      { id: 7, isAnswer: true },
    ],
  ])("%s", (_title, head, tail, expected) => {
    expect(readFrameHead(head, tail)).toEqual(expected);
  });

  test("is waited for where the method has one", () => {
    const request = { id: 1, isAnswer: false };
    expect(isEnough({ ...request, method: "session.send" })).toBe(true);
    expect(isEnough({ ...request, method: METHOD, requestId: "r" })).toBe(false);
    expect(isEnough({ ...request, ...question })).toBe(true);
    expect(isEnough({ method: "session.send", isAnswer: false })).toBe(false);
  });
});
