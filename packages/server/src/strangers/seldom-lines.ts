/**
 * Lines of the log that anybody can cause: the first for a reason is written at once, those of the minute after it
 * are counted, and told in one line. A flood of them is as many lines a minute as there are reasons.
 */
type Fields = Record<string, unknown>;

const MINUTE_MS = 60_000;

interface Counted {
  count: number;
  fields: Fields;
  timer: NodeJS.Timeout;
}

export class SeldomLines {
  readonly #write: (message: string, fields: Fields) => void;
  readonly #everyMs: number;
  readonly #counted = new Map<string, Counted>();

  constructor(write: (message: string, fields: Fields) => void, everyMs: number = MINUTE_MS) {
    this.#write = write;
    this.#everyMs = everyMs;
  }

  /** @param reason tells lines of one message apart; one of a few that the server knows, never what came. */
  write(message: string, fields: Fields, reason = ""): void {
    const key = `${message}\0${reason}`;
    const counted = this.#counted.get(key);
    if (counted) {
      counted.count += 1;
      counted.fields = fields;
      return;
    }
    this.#write(message, fields);
    const timer = setInterval(() => this.#tell(key, message), this.#everyMs).unref();
    this.#counted.set(key, { count: 0, fields, timer });
  }

  /** Writes what is counted; the server ends. */
  close(): void {
    for (const key of [...this.#counted.keys()]) {
      this.#tell(key, key.slice(0, key.indexOf("\0")));
      clearInterval(this.#counted.get(key)?.timer);
    }
    this.#counted.clear();
  }

  #tell(key: string, message: string): void {
    const counted = this.#counted.get(key);
    if (!counted) return;
    if (counted.count === 0) {
      clearInterval(counted.timer);
      this.#counted.delete(key);
      return;
    }
    this.#write(message, { ...counted.fields, count: counted.count });
    counted.count = 0;
  }
}
