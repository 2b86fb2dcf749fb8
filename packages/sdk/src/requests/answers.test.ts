import { beforeEach, describe, expect, test } from "vitest";
import { Answers } from "./answers.ts";

let sent: unknown[];
let failures: string[];
let send: (method: string, params: Record<string, unknown>) => Promise<unknown>;
let answers: Answers;
beforeEach(() => {
  sent = [];
  failures = [];
  send = async (_method, params) => void sent.push(params);
  answers = new Answers({
    send: (method, params) => send(method, params),
    onFailure: ({ requestId }, error) => failures.push(`${requestId}: ${error.message}`),
  });
});

const rounds = () => new Promise((resolve) => setImmediate(resolve));
const question = (
  requestId: string,
  work: (signal: AbortSignal) => Promise<object | undefined>,
  toolCallId?: string,
) => ({
  requestId,
  toolCallId,
  method: "answer",
  work: work as never,
  refusal: (why: string) => ({ error: why }),
});

describe("a question", () => {
  test("is put to the application once, and its answer sent", async () => {
    let asked = 0;
    const ask = question("r", async () => ({ result: ++asked }));
    answers.ask(ask);
    answers.ask(ask);
    await rounds();
    expect(sent).toEqual([{ requestId: "r", result: 1 }]);
  });

  test("that is asked again is answered again, without asking the application", async () => {
    let asked = 0;
    answers.ask(question("r", async () => ({ result: ++asked })));
    await rounds();
    answers.askedAgain("r");
    await rounds();
    expect(sent).toEqual([
      { requestId: "r", result: 1 },
      { requestId: "r", result: 1 },
    ]);
  });

  test("that was answered is forgotten once the end of its tool call is in the log", async () => {
    answers.ask(question("r", async () => ({ result: 1 }), "call"));
    await rounds();
    answers.settled({ toolCallId: "call" });
    answers.askedAgain("r");
    await rounds();
    expect(sent).toHaveLength(1);
  });

  test("that others answered aborts its signal, and what the handler says then is not sent", async () => {
    let aborted = false;
    answers.ask(
      question("r", (signal) => {
        return new Promise((resolve) => {
          signal.addEventListener("abort", () => {
            aborted = true;
            resolve({ result: "late" });
          });
        });
      }),
    );
    answers.settled({ requestId: "r" }, { unlessAnswered: true });
    await rounds();
    expect([aborted, sent]).toEqual([true, []]);
  });

  test("whose own answer is said to have come stays known until it is in the log", async () => {
    answers.ask(question("r", async () => ({ result: 1 })));
    await rounds();
    answers.settled({ requestId: "r" }, { unlessAnswered: true });
    answers.askedAgain("r");
    await rounds();
    expect(sent).toHaveLength(2);
  });

  test("that is held is put to the application when it is let go, if it is not settled by then", async () => {
    const asked: string[] = [];
    const note = (id: string) => async () => {
      asked.push(id);
      return {};
    };
    answers.hold();
    answers.ask(question("a", note("a"), "call-a"));
    answers.ask(question("b", note("b")));
    answers.settled({ toolCallId: "call-a" });
    expect(asked).toEqual([]);
    answers.release();
    await rounds();
    expect(asked).toEqual(["b"]);
  });

  test("that the application leaves to others is not answered", async () => {
    answers.ask(question("r", async () => undefined));
    await rounds();
    expect(sent).toEqual([]);
  });

  test("whose answer cannot be sent is reported, and sent when the session is back", async () => {
    send = () => Promise.reject(new Error("away"));
    answers.ask(question("r", async () => ({ result: 1 })));
    await rounds();
    expect(failures).toEqual(["r: away"]);
    send = async (_method, params) => void sent.push(params);
    answers.hold();
    answers.release();
    await rounds();
    expect(sent).toEqual([{ requestId: "r", result: 1 }]);
  });
});

test("no more answers are kept than a server may ask for again soon", async () => {
  for (let index = 0; index < 1000; index++) answers.ask(question(`r${index}`, async () => ({})));
  await rounds();
  answers.askedAgain("r0");
  answers.askedAgain("r999");
  await rounds();
  expect(sent.slice(1000)).toEqual([{ requestId: "r999" }]);
});
