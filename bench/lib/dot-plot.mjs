/**
 * A dot plot with a logarithmic axis, as SVG text. Each row has a label and dots; 1 on the axis is
 * marked.
 *
 * @param {{title: string, subtitle: string, axis: string, series: {label: string, color: string}[],
 *   rows: {label: string, dots: {series: number, at: number, text: string}[]}[]}} plot
 */
export function dotPlot({ title, subtitle, axis, series, rows }) {
  const top = 100;
  const bottom = top + rows.length * ROW;
  const values = rows.flatMap((row) => row.dots.map((dot) => dot.at));
  const from = Math.floor(Math.log10(Math.min(0.1, ...values)));
  const to = Math.ceil(Math.log10(Math.max(10, ...values)));
  const x = (value) => LEFT + ((Math.log10(value) - from) / (to - from)) * (WIDTH - LEFT - RIGHT);
  const powers = Array.from({ length: to - from + 1 }, (_, i) => 10 ** (from + i));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${bottom + 60}" font-family="system-ui, sans-serif" font-size="12" fill="#1f2328">`,
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    `<title>${escapeXml(title)}</title>`,
    text(16, 28, title, `font-size="17" font-weight="600"`),
    text(16, 48, subtitle, `fill="#59636e"`),
    ...legend(series),
    ...powers.map((power) => gridLine(x(power), top, bottom, power)),
    ...rows.flatMap((row, i) => rowMarks(row, top + (i + 0.5) * ROW, x, series)),
    text(LEFT, bottom + 42, axis, `fill="#59636e"`),
    "</svg>",
    "",
  ].join("\n");
}

const WIDTH = 900;
const ROW = 26;
const LEFT = 300;
const RIGHT = 40;

function rowMarks({ label, dots }, y, x, series) {
  const places = dots.map((dot) => x(dot.at));
  const [low, high] = [Math.min(...places), Math.max(...places)];
  return [
    text(LEFT - 16, y + 4, label, `text-anchor="end"`),
    `<line x1="${at(low)}" x2="${at(high)}" y1="${y}" y2="${y}" stroke="#d1d9e0" stroke-width="2"/>`,
    // The first series is ours: drawn last, on top.
    ...[...dots].reverse().map((dot) => circle(x(dot.at), y, series[dot.series], dot)),
  ];
}

function circle(cx, cy, { color, label }, dot) {
  const radius = dot.series === 0 ? 6 : 4.5;
  return `<circle cx="${at(cx)}" cy="${cy}" r="${radius}" fill="${color}"><title>${escapeXml(`${label}: ${dot.text}`)}</title></circle>`;
}

function gridLine(x, top, bottom, power) {
  const isTarget = power === 1;
  const stroke = isTarget ? `stroke="#1a7f37" stroke-width="1.5"` : `stroke="#eaeef2"`;
  const label = isTarget ? "target" : power < 1 ? `${1 / power} × better` : `${power} ×`;
  return `<line x1="${at(x)}" x2="${at(x)}" y1="${top - 6}" y2="${bottom}" ${stroke}/>${text(x, bottom + 18, label, `text-anchor="middle" fill="#59636e"`)}`;
}

function legend(series) {
  let x = 16;
  return series.flatMap(({ label, color }) => {
    const place = x;
    x += 30 + label.length * 7;
    return [`<circle cx="${place + 5}" cy="70" r="5" fill="${color}"/>`, text(place + 16, 74, label)];
  });
}

const at = (value) => value.toFixed(1);

function text(x, y, content, attributes = "") {
  return `<text x="${at(x)}" y="${y}" ${attributes}>${escapeXml(content)}</text>`;
}

function escapeXml(value) {
  return value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
