/** Faults that the client once had, or might get: each is a change of its sources that the model-based test has to notice. */

export interface Fault {
  readonly name: string;
  /** A text of a file in `src`, which is there once, and what takes its place. */
  readonly changes: readonly { readonly file: string; readonly from: string; readonly to: string }[];
}

export const FAULTS: readonly Fault[] = [
  {
    name: "a session stays attached to a connection that is dead",
    changes: [
      {
        file: "session/attachment.ts",
        from: 'return this.#state === "attached" && this.#channel?.isOpen ? this.#channel : undefined;',
        to: 'return this.#state === "attached" ? this.#channel : undefined;',
      },
      {
        file: "session/attachment.ts",
        from: 'if (this.#state === "attached" || this.#state === "attaching") {',
        to: 'if (this.#state === "attaching") {',
      },
    ],
  },
  {
    name: "a create that is refused takes the place of the session that is open",
    changes: [
      {
        file: "client.ts",
        from: "joining.set(sessionId, core);",
        to: "sessions.set(sessionId, core);",
      },
    ],
  },
  {
    name: "a prompt that was given up goes out later",
    changes: [
      {
        file: "session/prompts.ts",
        from: "if (this.#unanswered.delete(prompt)) prompt.givenUp.abort(toError(error));",
        to: "",
      },
    ],
  },
  {
    name: "a prompt whose answer was lost is another prompt when it is sent again",
    changes: [
      {
        file: "session/prompts.ts",
        from: 'channel.request("session.send", prompt.params, prompt.givenUp.signal)',
        to: 'channel.request("session.send", again ? { ...prompt.params, messageId: Math.random() + "" } : prompt.params, prompt.givenUp.signal)',
      },
    ],
  },
  {
    name: "a tool's result that cannot be sent leaves its question open",
    changes: [
      {
        file: "requests/tool-answer.ts",
        from: "onUnsendable(toError(error));",
        to: "await new Promise(() => undefined);",
      },
    ],
  },
  {
    name: "a listener that rejects is seen by nobody",
    changes: [
      { file: "callbacks.ts", from: "if (isThenable(returned)) returned.then(undefined, fail);", to: "" },
    ],
  },
  {
    name: "what is in the log and has been told is told twice",
    changes: [
      {
        file: "events/event-feed.ts",
        from: "const met = events.findIndex((event) => ids.has(event.id));",
        to: "const met = ids.size < 0 ? 0 : -1;",
      },
    ],
  },
  {
    name: "a page of the log counts as delivered before its events are",
    changes: [
      {
        file: "events/event-feed.ts",
        from: "      if (passed) this.#pass(passed, cursor);",
        to: "      this.setCursor(cursor);",
      },
    ],
  },
  {
    name: "what was missed while the connection was lost is not read",
    changes: [
      {
        file: "session/attachment.ts",
        from: "await feed.catchUp(this.reader(channel));",
        to: "feed.release();",
      },
    ],
  },
  {
    name: "a session that is being resumed is left without a word to the server",
    changes: [{ file: "session/attachment.ts", from: "await this.settled(signal);", to: "" }],
  },
  {
    name: "a client that is stopped while it connects stays connected",
    changes: [
      {
        file: "connection/link.ts",
        from: "if (outcome instanceof Channel) outcome.close(toError(signal.reason));",
        to: "",
      },
      {
        file: "connection/patience.ts",
        from: 'outer.addEventListener("abort", this.#onAbort, { once: true });',
        to: "",
      },
    ],
  },
  {
    name: "a prompt that was carried out before is waited for in vain",
    changes: [
      {
        file: "session/send-and-wait.ts",
        from: 'if (ownId && id === message.messageId) ask("before");',
        to: "if (ownId && id === message.messageId) return;",
      },
    ],
  },
  {
    name: "several waits resolve with the last answer",
    changes: [
      {
        file: "session/prompt-watch.ts",
        from: "if (this.#begun) this.end();",
        to: "if (this.#begun) return;",
      },
    ],
  },
  {
    name: "a wait that ends since its session is left says nothing of the prompt",
    changes: [
      {
        file: "session/send-and-wait.ts",
        from: "if (accepted && givenUp) markMaybeDone(error);",
        to: "",
      },
    ],
  },
  {
    name: "a session that another client deletes is waited for in vain",
    changes: [
      {
        file: "hub.ts",
        from: 'if (event.type === "session.deleted") this.deleted(event.sessionId);',
        to: "",
      },
    ],
  },
  {
    name: "a call whose connection is lost never settles",
    changes: [
      {
        file: "session/attachment.ts",
        from: "if (!repeat) throw lostInCall(method, error);",
        to: "if (!repeat) await new Promise(() => undefined);",
      },
    ],
  },
];
