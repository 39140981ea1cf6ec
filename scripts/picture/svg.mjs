/** In pixels: of a character, of a line, and around all of them. */
const WIDTH = 8.4;
const LINE = 19;
const MARGIN = 18;
const BAR = 30;

/** Those of GitHub's dark theme, which both of its themes go with. */
const COLOURS = [
  ...["#484f58", "#ff7b72", "#3fb950", "#d29922", "#58a6ff", "#bc8cff", "#39c5cf", "#b1bac4"],
  ...["#6e7681", "#ffa198", "#56d364", "#e3b341", "#79c0ff", "#d2a8ff", "#56d4dd", "#ffffff"],
];
const FOREGROUND = "#e6edf3";
const BACKGROUND = "#0d1117";

/**
 * Draws what a terminal shows, down to its last line.
 *
 * @param buffer of xterm.js.
 * @returns text in SVG.
 */
export function screenToSvg(buffer, { title }) {
  const lines = Array.from({ length: buffer.length }, (_, y) => runsOf(buffer.getLine(y)));
  while (lines.at(-1)?.every(({ text }) => /^[\s$]*$/.test(text))) lines.pop();
  const columns = Math.max(...lines.flat().map(({ x, text }) => x + text.length));
  const width = Math.ceil(columns * WIDTH + 2 * MARGIN);
  const height = Math.ceil(lines.length * LINE + 2 * MARGIN + BAR);
  const rows = lines.map((runs, y) => {
    const baseline = (BAR + MARGIN + (y + 0.75) * LINE).toFixed(1);
    return runs.length === 0 ? "" : `<text y="${baseline}">${runs.map(drawn).join("")}</text>\n`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" xml:space="preserve">
<title>${escaped(title)}</title>
<style>text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: ${FOREGROUND}; }</style>
<rect width="${width}" height="${height}" rx="8" fill="${BACKGROUND}"/>
${[COLOURS[1], COLOURS[3], COLOURS[2]].map((fill, i) => `<circle cx="${20 + i * 20}" cy="18" r="6" fill="${fill}"/>`).join("")}
${rows.join("")}</svg>
`;
}

/** A line's text in pieces that look alike, each with the column where it begins. */
function runsOf(line) {
  const runs = [];
  for (let x = 0; x < line.length; x++) {
    const cell = line.getCell(x);
    const text = cell.getWidth() === 0 ? "" : cell.getChars() || " ";
    const style = styleOf(cell);
    const last = runs.at(-1);
    if (last?.style === style) last.text += text;
    else runs.push({ x, text, style });
  }
  return runs
    .map((run) => ({ ...run, text: run.text.trimEnd() }))
    .filter(({ text }) => text !== "");
}

function styleOf(cell) {
  const isPalette = cell.isFgPalette() && cell.getFgColor() < COLOURS.length;
  return [
    isPalette ? ` fill="${COLOURS[cell.getFgColor()]}"` : "",
    cell.isBold() ? ' font-weight="bold"' : "",
    cell.isDim() ? ' opacity="0.6"' : "",
    cell.isUnderline() ? ' text-decoration="underline"' : "",
  ].join("");
}

/** As wide as its columns, whatever font there is. */
function drawn({ x, text, style }) {
  const place = `x="${(MARGIN + x * WIDTH).toFixed(1)}" textLength="${([...text].length * WIDTH).toFixed(1)}"`;
  return `<tspan ${place}${style}>${escaped(text)}</tspan>`;
}

function escaped(text) {
  return text.replace(/[&<>]/g, (character) => `&#${character.codePointAt(0)};`);
}
