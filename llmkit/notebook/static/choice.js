// What of a run is shown: search, filters, order and grouping. Pure functions over state and choice.
import { cardOf, isFailed, isOk, isRunning } from "./growth.js";
import { finder } from "./tree.js";

const PROMPTS_A_PAGE = 25;
export const CELLS_A_PAGE = 200;
export const ORDERS = {
  asked: "as asked", failed: "failures first", slow: "slowest first", costly: "costliest first",
  long: "longest first",
};
const WEIGHTS = {
  failed: (card) => (isFailed(card) ? 1 : 0),
  slow: (card) => card.values.duration_s ?? -1,
  costly: (card) => card.values.cost_usd ?? -1,
  long: (card) => card.values.output_tokens ?? card.text.length / 4, // characters per token
};
const indexes = new WeakMap();

/** Returns the choice of a new view, which shows all answers. */
export function wholeChoice() {
  return { search: "", status: "all", model: "all", differ: false, order: "asked", split: null };
}

/** Returns true if the choice hides answers. */
export function isNarrow(choice) {
  return choice.search !== "" || choice.status !== "all" || choice.model !== "all" || choice.differ;
}

/** Returns the answers of each prompt: a list of `[model, rows]` for each, in the order asked. */
export function indexOf(state) {
  if (!indexes.has(state.rows)) {
    const prompts = state.prompts.map(() => new Map());
    state.rows.forEach(([prompt, model], row) => {
      const models = prompts[prompt];
      if (models.has(model)) models.get(model).push(row);
      else models.set(model, [row]);
    });
    indexes.set(state.rows, prompts);
  }
  return indexes.get(state.rows);
}

/** Returns true if a cell has several answers. */
export function hasPoints(state) {
  return indexOf(state).reduce((sum, models) => sum + models.size, 0) < state.rows.length;
}

/** Returns true if each grid point and repeat gets a line of its own. */
export function isSplit(state, choice) {
  // With one prompt and one model the table has one cell, and lines are all that can be read.
  return hasPoints(state) && (choice.split ?? (state.prompts.length === 1 && state.models.length === 1));
}

/** Returns the statuses that occur, as `[word, count]`. */
export function statuses(state) {
  const counts = new Map();
  for (let row = 0; row < state.rows.length; row += 1) {
    const { word } = cardOf(state, row);
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return [...counts].sort(([a], [b]) => a.localeCompare(b));
}

/**
 * Returns the lines of the table, and the number of answers in them.
 *
 * A line is `{ key, prompt, cells }`, a cell is `{ model, rows }`. A line has only the answers that
 * the choice wants.
 */
export function chosenLines(state, choice) {
  const wanted = wantedBy(state, choice);
  const split = isSplit(state, choice);
  const lines = [];
  let shown = 0;
  indexOf(state).forEach((models, prompt) => {
    const cells = [...models].map(([model, rows]) => ({ model, rows: rows.filter(wanted) })).filter(({ rows }) => rows.length);
    if (!cells.length || (choice.differ && !doDiffer(state, models))) return;
    shown += cells.reduce((sum, { rows }) => sum + rows.length, 0);
    lines.push(...(split ? splitCells(state, prompt, cells) : [{ key: `${prompt}`, prompt, cells }]));
  });
  if (choice.order !== "asked") sortLines(state, lines, WEIGHTS[choice.order]);
  return { lines, shown };
}

function wantedBy(state, { search, status, model }) {
  const has = search ? finder(search) : null;
  const asks = has ? state.prompts.map(({ text }) => has.test(text)) : [];
  return (row) => {
    const [prompt, column] = state.rows[row];
    if (model !== "all" && column !== Number(model)) return false;
    const card = cardOf(state, row);
    if (status === "ok" && !isOk(card)) return false;
    if (status === "not ok" && !isFailed(card)) return false;
    if (!["all", "ok", "not ok"].includes(status) && card.word !== status) return false;
    return !has || asks[prompt] || has.test(card.text) || has.test(card.error) || has.test(card.why);
  };
}

function doDiffer(state, models) {
  const texts = new Set();
  for (const rows of models.values()) {
    for (const row of rows) {
      const card = cardOf(state, row);
      if (!isRunning(card)) texts.add(card.state === "complete" ? card.text.trim() : `${card.word}: ${card.text.trim()}`);
      if (texts.size > 1) return true;
    }
  }
  return false;
}

function splitCells(state, prompt, cells) {
  const points = new Map();
  for (const { model, rows } of cells) {
    // Equal points of one model, such as equal prompts that were asked twice, follow one another.
    const seen = new Map();
    for (const row of rows) {
      const point = state.rows[row][2];
      const again = seen.get(point) ?? 0;
      seen.set(point, again + 1);
      const key = `${prompt}/${point}/${again}`;
      if (!points.has(key)) points.set(key, { key, prompt, point, again, cells: [] });
      points.get(key).cells.push({ model, rows: [row] });
    }
  }
  return [...points.values()].sort((a, b) => a.point - b.point || a.again - b.again);
}

function sortLines(state, lines, weight) {
  const weights = new Map();
  const of = (row) => weights.get(row) ?? (weights.set(row, weight(cardOf(state, row))), weights.get(row));
  const most = new Map();
  for (const line of lines) {
    for (const cell of line.cells) cell.rows.sort((a, b) => of(b) - of(a) || a - b);
    most.set(line, Math.max(...line.cells.map(({ rows }) => of(rows[0]))));
  }
  lines.sort((a, b) => most.get(b) - most.get(a));
}

/** Returns the lines with those cut into several that have more than *most* cells. */
export function shortLines(lines, most = CELLS_A_PAGE) {
  return lines.flatMap((line) => {
    const parts = [];
    for (let from = 0; from < line.cells.length; from += most) {
      const cells = line.cells.slice(from, from + most);
      parts.push(from ? { ...line, key: `${line.key}+${from}`, cells } : { ...line, cells });
    }
    return parts;
  });
}

/** Returns one page of *lines*, at most *most* cells: its number, the pages and its first line. */
export function pageOf(lines, number, most = CELLS_A_PAGE) {
  const widest = Math.max(1, ...lines.slice(0, 500).map(({ cells }) => cells.length));
  const size = Math.max(1, Math.min(PROMPTS_A_PAGE, Math.floor(most / widest)));
  const pages = Math.max(1, Math.ceil(lines.length / size));
  const page = Math.min(Math.max(number, 0), pages - 1);
  return { page, pages, first: page * size, lines: lines.slice(page * size, (page + 1) * size) };
}
