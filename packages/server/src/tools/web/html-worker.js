/**
 * Makes Markdown of HTML, in a thread of its own: pages are of strangers' making, and some take long. It is
 * plain JavaScript since Node runs it as it stands, from the sources as from the bundle.
 */
import { parentPort, workerData } from "node:worker_threads";
import TurndownService from "turndown";

/** What can be converted in a few seconds. */
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
const cell = (content) =>
  content
    .trim()
    .replace(/\s*\n\s*/g, " ")
    .replaceAll("|", "\\|");
service.addRule("cells", { filter: ["th", "td"], replacement: (content) => ` ${cell(content)} |` });
service.addRule("rows", {
  filter: "tr",
  replacement: (content, node) => {
    const cells = [...node.childNodes].filter((child) => /^T[HD]$/.test(child.nodeName)).length;
    const isHead = !node.previousSibling && ["THEAD", "TABLE", "TBODY"].includes(node.parentNode.nodeName);
    const isFirst = isHead && (node.parentNode.nodeName !== "TBODY" || !node.parentNode.previousSibling);
    return `\n|${content}${isFirst ? `\n|${" --- |".repeat(cells)}` : ""}`;
  },
});
service.addRule("tables", { filter: "table", replacement: (content) => `\n\n${content.trim()}\n\n` });
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
