/**
 * Server-sent events, reduced to what model providers use: the `data` of each event, in order.
 * Names, ids and comments are read over, since every wire here repeats its type in the data; but for the
 * name `error`, whose data may be a text or an object that does not say so: it comes as `{"error": …}`.
 * Text may be cut anywhere, also between CR and LF. Follows the parsing rules of the HTML standard
 * (https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation).
 */
export class SseParser {
  /** Pieces of a line whose end has not come yet; joined once, so that long lines stay linear. */
  #unfinished: string[] = [];
  #unfinishedLength = 0;
  #data: string | undefined;
  #heldCarriageReturn = false;
  #atStart = true;
  #isError = false;
  #sawData = false;
  /** Lines of what looks like JSON by itself where events were expected. */
  #foreign: string[] | undefined;
  #foreignLength = 0;

  /** Characters of the event that has begun and not ended. */
  get held(): number {
    return this.#unfinishedLength + (this.#data?.length ?? 0) + this.#foreignLength;
  }

  /** Appends the data of every event that `text` completes to `out`. */
  push(text: string, out: string[]): void {
    let input = this.#withoutCarriageReturns(text);
    if (this.#atStart && input.length > 0) {
      this.#atStart = false;
      if (input.charCodeAt(0) === 0xfeff) input = input.slice(1);
    }
    let start = 0;
    for (let end = input.indexOf("\n"); end !== -1; end = input.indexOf("\n", start)) {
      let line = input.slice(start, end);
      if (this.#unfinished.length > 0) {
        line = this.#takeUnfinished() + line;
      }
      this.#line(line, out);
      start = end + 1;
    }
    if (start < input.length) {
      this.#unfinished.push(start === 0 ? input : input.slice(start));
      this.#unfinishedLength += input.length - start;
    }
  }

  /**
   * The stream is over. A last event without its blank line is delivered too: some servers leave it
   * out, and whether its JSON is whole is for the caller to find.
   */
  end(out: string[]): void {
    if (this.#unfinished.length > 0) this.#line(this.#takeUnfinished(), out);
    this.#line("", out);
  }

  #takeUnfinished(): string {
    const line = this.#unfinished.join("");
    this.#unfinished = [];
    this.#unfinishedLength = 0;
    return line;
  }

  #line(line: string, out: string[]): void {
    if (line.length === 0) {
      if (this.#data !== undefined) out.push(this.#isError ? toErrorData(this.#data) : this.#data);
      this.#data = undefined;
      this.#isError = false;
      return;
    }
    if (!line.startsWith("data")) return this.#otherLine(line);
    this.#sawData = true;
    let value: string;
    if (line.charCodeAt(4) === 58 /* : */) value = line.slice(line.charCodeAt(5) === 32 ? 6 : 5);
    else if (line.length === 4) value = "";
    else return;
    if (this.#data === undefined) this.#data = value;
    else if (isNextEvent(this.#data, value)) {
      this.#line("", out);
      this.#data = value;
    } else this.#data = `${this.#data}\n${value}`;
  }

  #otherLine(line: string): void {
    if (/^event: ?error$/.test(line)) this.#isError = true;
    // Before anything else came: a server that answers in JSON although events were asked for.
    else if (this.#foreign || (/^\s*[[{]/.test(line) && !this.#sawData)) {
      (this.#foreign ??= []).push(line);
      this.#foreignLength += line.length;
    }
  }

  /** What came instead of events, once the stream is over. */
  get foreign(): string | undefined {
    return this.#sawData ? undefined : this.#foreign?.join("\n");
  }

  #withoutCarriageReturns(text: string): string {
    let input = text;
    if (this.#heldCarriageReturn && input.length > 0) {
      input = `\r${input}`;
      this.#heldCarriageReturn = false;
    }
    if (!input.includes("\r")) return input;
    if (input.endsWith("\r")) {
      this.#heldCarriageReturn = true;
      input = input.slice(0, -1);
    }
    return input.replace(/\r\n?/g, "\n");
  }
}

/** Servers that leave the blank line out: no JSON goes on like that. */
function isNextEvent(before: string, next: string): boolean {
  return before.endsWith("}") && (next.startsWith("{") || next.startsWith("[DONE]"));
}

/** The data of an event called `error`, as an object that says so. */
function toErrorData(data: string): string {
  try {
    const said = JSON.parse(data) as { error?: unknown } | null;
    if (typeof said === "object" && said?.error) return data;
    return JSON.stringify({ error: said });
  } catch {
    return JSON.stringify({ error: { message: data } });
  }
}
