import { figure } from "./figure.mjs";
import { median } from "./statistics.mjs";

/** One answer out of several to the same question: of each figure the median. An error counts for all. */
export function medianAnswer(answers) {
  const failed = answers.find((answer) => answer.error);
  if (failed || answers.length === 1) return failed ?? answers[0];
  const figures = answers[0].figures.map(({ name, unit, target }, i) =>
    figure(name, median(answers.map((answer) => answer.figures[i].value)), unit, target),
  );
  return { figures, tookS: answers.reduce((sum, answer) => sum + answer.tookS, 0) };
}
