/** Ranges of a log that rewinds took back, by its cursors. */

/** Lines that were taken back: behind the first cursor, up to the second. */
export interface Cut {
  readonly from: number;
  readonly to: number;
}

/** Adds a cut to others; one that reaches further back takes the place of those that it covers. */
export function withCut(cuts: readonly Cut[] | undefined, cut: Cut): Cut[] {
  return [...(cuts ?? []).filter((older) => older.from < cut.from), cut];
}

/** Whether a line, by the cursor behind it, was taken back. Lines are asked about in the log's order. */
export function createCutFilter(cuts: readonly Cut[] = []): (cursor: number) => boolean {
  let next = 0;
  return (cursor) => {
    while (next < cuts.length && cursor > (cuts[next] as Cut).to) next += 1;
    return next < cuts.length && cursor > (cuts[next] as Cut).from;
  };
}
