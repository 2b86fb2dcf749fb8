/**
 * Makes Markdown of HTML, in a thread of its own: pages are of strangers' making, and some take long. The file is
 * plain JavaScript since Node runs it as it stands, from the sources as from the bundle.
 */
import { parentPort, workerData } from "node:worker_threads";
import TurndownService from "turndown";

/** As much as can be converted in a few seconds. */
const MAX_CHARACTERS = 1_500_000;

const service = new TurndownService({ headingStyle: "atx", bulletListMarker: "-", codeBlockStyle: "fenced" });
service.remove([
  "script",
  "style",
  "noscript",
  "template",
  "iframe",
  "object",
  "embed",
  "svg",
  "canvas",
  "title",
  "input",
  "button",
  "select",
  "textarea",
]);
// Images whose data is in the page are of no use to a reader, and long.
service.addRule("inlineImages", {
  filter: (node) => node.nodeName === "IMG" && /^data:/i.test(node.getAttribute("src") ?? ""),
  replacement: (_content, node) => node.getAttribute("alt") ?? "",
});
/** The most empty cells for a cell that spans columns: pages name any number. */
const MAX_SPAN = 50;

const layouts = new WeakMap();
/** Whether a table only arranges parts of a page: there is one in it, or it has one cell. */
function isLayout(table) {
  if (!table) return false;
  if (!layouts.has(table)) {
    const isOneCell = table.rows.length === 1 && table.rows[0].childElementCount <= 1;
    layouts.set(table, isOneCell || Boolean(table.querySelector("table")));
  }
  return layouts.get(table);
}

function isFirstRow(row) {
  if (row.previousElementSibling) return false;
  for (let part = row.parentNode.previousElementSibling; part; part = part.previousElementSibling)
    if (/^T(?:HEAD|BODY|FOOT)$/.test(part.nodeName) && part.firstElementChild) return false;
  return true;
}

const spanOf = (cell) => Math.max(1, Math.min(Number(cell.getAttribute("colspan")) || 1, MAX_SPAN));

function cellText(content) {
  const line = content.trim().replace(/\s*\n\s*/g, " ");
  return line.replaceAll("|", "\\|");
}

service.addRule("cells", {
  filter: ["th", "td"],
  replacement: (content, node) =>
    isLayout(node.closest("table"))
      ? `\n\n${content.trim()}\n\n`
      : ` ${cellText(content)} |${"  |".repeat(spanOf(node) - 1)}`,
});
service.addRule("rows", {
  filter: "tr",
  replacement: (content, node) => {
    if (isLayout(node.closest("table"))) return content;
    const columns = Array.from(node.cells).reduce((count, cell) => count + spanOf(cell), 0);
    return `\n|${content}${isFirstRow(node) ? `\n|${" --- |".repeat(columns)}` : ""}`;
  },
});
service.addRule("tables", { filter: "table", replacement: (content) => `\n\n${content.trim()}\n\n` });
service.addRule("captions", { filter: "caption", replacement: (content) => `\n\n${content.trim()}\n\n` });
service.addRule("tableParts", { filter: ["thead", "tbody", "tfoot"], replacement: (content) => content });

/** Most of a large page: they are cut out as text, since making nodes of them takes longest. */
function withoutScripts(html) {
  const kept = [];
  let from = 0;
  let inside = "";
  for (const { index, groups } of html.matchAll(/<(?<end>\/?)(?<tag>script|style)\b/gi)) {
    const tag = groups.tag.toLowerCase();
    if (inside === "" && groups.end === "") {
      kept.push(html.slice(from, index));
      inside = tag;
    } else if (inside === tag && groups.end !== "") {
      inside = "";
      from = index;
    }
  }
  return kept.join("") + (inside === "" ? html.slice(from) : "");
}

const html = withoutScripts(workerData).slice(0, MAX_CHARACTERS);
const title = /<title[^>]*>([^<]{0,500})<\/title>/i.exec(html.slice(0, 100_000))?.[1]?.trim();
const body = service
  .turndown(html)
  .replace(/[ \t]+$/gm, "")
  .replace(/\n{3,}/g, "\n\n")
  .trim();
parentPort.postMessage({ title: title ? service.turndown(title) : "", body });
