/**
 * Publishes a result: draws docs/performance.svg, and puts the result's table into docs/performance.md.
 *
 * node bench/plot.mjs bench/results/<file>.json
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { dotPlot } from "./lib/dot-plot.mjs";
import { series as referenceSeries, references } from "./lib/reference.mjs";
import { describeRun, resultMarkdown } from "./lib/result-table.mjs";

const documents = fileURLToPath(new URL("../docs/", import.meta.url));
const [file] = process.argv.slice(2);
if (file === undefined) {
  process.stderr.write("plot: which result? node bench/plot.mjs bench/results/<file>.json\n");
  process.exit(2);
}
const result = JSON.parse(readFileSync(file, "utf8"));
writeFileSync(`${documents}performance.svg`, plotOf(result));
replaceBetween(`${documents}performance.md`, "result", resultMarkdown(result));

function plotOf(shown) {
  const own = { label: "Rightseat", color: "#0969da" };
  const peer = shown.peerName ? [{ label: `${shown.peerName}, same run`, color: "#8250df" }] : [];
  return dotPlot({
    title: "Rightseat beside its targets",
    subtitle: describeRun(shown),
    axis: "Measured ÷ target for times and memory, target ÷ measured for rates; logarithmic, left is better",
    series: [own, ...peer, ...referenceSeries],
    rows: references.flatMap((reference) => plotRow(shown, reference, 1 + peer.length)),
  });
}

/** A row for a figure that the result has, with a target; none otherwise. */
function plotRow(shown, reference, firstReference) {
  const question = shown.questions.find(({ name }) => name === reference.question);
  const isNamed = ({ name }) => name === reference.name;
  const own = question?.figures?.find(isNamed);
  if (!own?.target) return [];
  const dot = (series, value) => ({ series, at: toTarget(own.target, value), text: `${value} ${own.unit}` });
  const peer = question.peer?.figures?.find(isNamed);
  const dots = [dot(0, own.value)];
  if (peer) dots.push(dot(1, peer.value));
  referenceSeries.forEach(({ key }, i) => {
    if (key in reference.values) dots.push(dot(firstReference + i, reference.values[key]));
  });
  return [{ label: reference.label, dots: dots.filter(isPlaceable) }];
}

function toTarget({ atMost, atLeast }, value) {
  return atMost === undefined ? atLeast / value : value / atMost;
}

function isPlaceable(dot) {
  return dot.at > 0 && Number.isFinite(dot.at);
}

/** Replaces what stands between `<!-- name -->` and `<!-- /name -->`. */
function replaceBetween(path, name, content) {
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const document = readFileSync(path, "utf8");
  const from = document.indexOf(start);
  const to = document.indexOf(end);
  if (from < 0 || to < from) throw new Error(`${path}: expected ${start} … ${end}`);
  writeFileSync(path, `${document.slice(0, from + start.length)}\n\n${content}\n\n${document.slice(to)}`);
}
