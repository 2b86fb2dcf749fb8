/** Spoken operators and what they stand for. */
const SPOKEN: readonly (readonly [RegExp, string])[] = [
  [/\bplus\b/gi, "+"],
  [/\bminus\b/gi, "-"],
  [/\b(?:times|multiplied by)\b/gi, "*"],
  [/\bdivided by\b/gi, "/"],
  [/\b(?:to the power of)\b/gi, "^"],
  [/×/g, "*"],
  [/÷/g, "/"],
  [/(\d)\s*x\s*(\d)/gi, "$1*$2"],
];

const EXPRESSION = /[-(]*\d[\d.\s()]*(?:[-+*/^%][-+*/^%\d.\s()]*)+/g;

/**
 * Finds a sum in a text and works it out: "What is 2+2?" gives `{expression: "2+2", value: 4}`.
 * Knows + - * / % ^, brackets and decimals. Undefined when there is none, or none that makes sense.
 */
export function solveArithmetic(
  text: string,
): { readonly expression: string; readonly value: number } | undefined {
  const spelled = SPOKEN.reduce((result, [spoken, sign]) => result.replace(spoken, sign), text);
  for (const candidate of spelled.match(EXPRESSION) ?? []) {
    const expression = candidate.trim().replace(/[.\s]+$/, "");
    // Dates and phone numbers look like sums; a sum has a plain operator between two numbers.
    if (/^\d{4}-\d{1,2}-\d{1,2}$/.test(expression) || !/\d\s*\)*\s*[-+*/^%]\s*[-(]*\s*[\d.]/.test(expression))
      continue;
    const value = new Parser(expression).parse();
    if (value !== undefined && Number.isFinite(value))
      return { expression, value: Number(value.toPrecision(12)) };
  }
  return undefined;
}

/** Recursive descent: sum → product → power → unary → number or bracket. */
class Parser {
  readonly #tokens: string[];
  #at = 0;

  constructor(expression: string) {
    this.#tokens = expression.match(/\d*\.?\d+|[-+*/^%()]/g) ?? [];
  }

  parse(): number | undefined {
    const value = this.#sum();
    return this.#at === this.#tokens.length && !Number.isNaN(value) ? value : undefined;
  }

  #take(...signs: string[]): string | undefined {
    const token = this.#tokens[this.#at];
    if (token === undefined || !signs.includes(token)) return undefined;
    this.#at++;
    return token;
  }

  #sum(): number {
    let value = this.#product();
    for (let sign = this.#take("+", "-"); sign !== undefined; sign = this.#take("+", "-")) {
      const right = this.#product();
      value = sign === "+" ? value + right : value - right;
    }
    return value;
  }

  #product(): number {
    let value = this.#power();
    for (let sign = this.#take("*", "/", "%"); sign !== undefined; sign = this.#take("*", "/", "%")) {
      const right = this.#power();
      value = sign === "*" ? value * right : sign === "/" ? value / right : value % right;
    }
    return value;
  }

  #power(): number {
    const base = this.#unary();
    return this.#take("^") === undefined ? base : base ** this.#power();
  }

  #unary(): number {
    if (this.#take("-") !== undefined) return -this.#unary();
    if (this.#take("(") !== undefined) {
      const value = this.#sum();
      return this.#take(")") === undefined ? Number.NaN : value;
    }
    const token = this.#tokens[this.#at++];
    return token === undefined ? Number.NaN : Number(token);
  }
}
