/** Work on the store that ends although the store does not answer: a disk may hang, and calls of the system then do not return. */
import type { Store } from "../../store/store.ts";

/** How long the work is waited for between two checks of the store. */
const LOOK_MS = 3_000;
/** A store that does not take a small write for so long is given up. */
const ANSWER_MS = 5_000;

/** @returns whether the work has ended. Rejects as the work does. */
export async function unlessStoreHangs(
  store: Pick<Store, "check">,
  work: Promise<unknown>,
  { lookMs = LOOK_MS, answerMs = ANSWER_MS } = {},
): Promise<boolean> {
  const ended = work.then(() => true);
  for (;;) {
    if (await within(ended, lookMs)) return true;
    // One that refuses answers, too.
    const answer = store.check().then(
      () => true,
      () => true,
    );
    if (!(await within(Promise.race([ended, answer]), answerMs))) return false;
  }
}

async function within(work: Promise<boolean>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
