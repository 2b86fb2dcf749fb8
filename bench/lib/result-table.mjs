import { targetText } from "./figure.mjs";
import { rounded } from "./statistics.mjs";
import { formatTable } from "./table.mjs";

const withUnit = (value, unit) => `${value.toLocaleString("en")}${unit ? ` ${unit}` : ""}`;

/** A result's figures as rows: question, figure, value, target, met, and with a peer its value and the ratio. */
function resultRows(result) {
  return result.questions.flatMap((question) => {
    if (question.error) return [[question.name, question.error, "", "", "no", "", ""]];
    return question.figures.map((own) => {
      const other = question.peer?.figures?.find(({ name }) => name === own.name);
      return [
        question.name,
        own.name,
        withUnit(own.value, own.unit),
        targetText(own.target),
        own.met === undefined ? "" : own.met ? "yes" : "no",
        other ? withUnit(other.value, other.unit) : (question.peer?.error ?? ""),
        other ? ratioText(own, other) : "",
      ];
    });
  });
}

/** How many times better ours is: the larger over the smaller for rates, the other way round else. */
function ratioText(own, other) {
  const ratio = own.unit.endsWith("/s") ? own.value / other.value : other.value / own.value;
  return Number.isFinite(ratio) && ratio > 0 ? `${rounded(ratio)} ×` : "";
}

function tableOf(result) {
  const head = ["question", "figure", "measured", "target", "met"];
  const sides = ["left", "left", "right", "right", "left"];
  if (result.peerName) {
    head.push(result.peerName, "ratio");
    sides.push("right", "right");
  }
  return { head, sides, rows: resultRows(result).map((row) => row.slice(0, head.length)) };
}

/** Where, with what and when. */
export function describeRun({ machine, versions, kind, runs, date }) {
  const where = `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, Node ${versions.node}`;
  const what = `SDK ${versions.sdk}, Rightseat ${versions.rightseat} (${versions.commit})`;
  const how = `${kind} run${runs > 1 ? `, medians of ${runs}` : ""}, ${date.slice(0, 10)}`;
  return `${where}; ${what}; ${how}`;
}

/** For a terminal. */
export function resultTable(result) {
  const { head, rows, sides } = tableOf(result);
  return `${describeRun(result)}\n\n${formatTable(head, rows, sides)}`;
}

/** For a document. */
export function resultMarkdown(result) {
  const { head, rows, sides } = tableOf(result);
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const rule = sides.map((side) => (side === "right" ? "--:" : "---"));
  return [`${describeRun(result)}.`, "", line(head), line(rule), ...rows.map(line)].join("\n");
}
