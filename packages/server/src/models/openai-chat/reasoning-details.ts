/**
 * OpenRouter's `reasoning_details`: a list of blocks, which a stream brings in pieces. They have to go
 * back whole, unchanged and in order. Pieces of one block have its index and type.
 */
type Detail = Record<string, unknown>;

/** Fields of a block whose pieces are joined; of all others the last piece counts. */
const JOINED = ["text", "summary", "data"];

export class ReasoningDetails {
  readonly #blocks: Detail[] = [];

  push(pieces: readonly unknown[]): void {
    for (const piece of pieces) if (typeof piece === "object" && piece !== null) this.#add(piece as Detail);
  }

  toList(): readonly Detail[] {
    return this.#blocks;
  }

  #add(piece: Detail): void {
    const block = this.#blocks.findLast(
      ({ index, type }) => typeof index === "number" && index === piece["index"] && type === piece["type"],
    );
    if (block === undefined) {
      this.#blocks.push({ ...piece });
      return;
    }
    for (const [name, value] of Object.entries(piece)) {
      const before = block[name];
      if (value === null || value === undefined) continue;
      block[name] =
        JOINED.includes(name) && typeof before === "string" && typeof value === "string"
          ? before + value
          : value;
    }
  }
}
