// The matrix: one line for each prompt, one column for each model, and whole answers below a line.
import { finder, h, marked } from "./tree.js";
import { beginning, cardOf, uncut } from "./growth.js";
import { cardsClass, cardTree, pageButton, silence, wordOf } from "./card.js";
import { CELLS_A_PAGE, isSplit, pageOf, shortLines } from "./choice.js";

const MOST_COLUMNS = 8; // more models, and the cells of a line are a grid below the prompt
const PREVIEW = 300; // characters of an answer in its cell
const CONTEXT = 30; // characters before the first hit of a search, which is in the first line
const CELL_WIDTH = 210; // pixels of a cell in a grid
const CELLS_A_COLUMN = 45; // more, and a narrow page is endless
const MOST_OPEN = 24; // answers that one click opens; the kernel renders the Markdown of as many

/** Returns the table of the lines on the current page, and the pager. */
export function matrixTrees(state, view, lines) {
  const { local } = view;
  const columns = local.model === "all" ? state.models.map((_, i) => i) : [Number(local.model)];
  const isWide = columns.length > MOST_COLUMNS;
  const width = view.root?.clientWidth || 1_000;
  const most = Math.min(CELLS_A_PAGE, Math.max(1, Math.floor(width / CELL_WIDTH)) * CELLS_A_COLUMN);
  const short = isWide ? shortLines(lines, most) : lines;
  const page = pageOf(short, local.page, most);
  local.page = page.page;
  const span = isWide ? 2 : columns.length + 1;
  const pointed = isSplit(state, local);
  return [
    h("table", {
      class: `lk-matrix${isWide ? " lk-many" : ""}`, key: "matrix", keydown: (event) => closeByKey(event, view),
      after: (node) => jump(node, view, "matrix"),
    },
      h("thead", { key: "head" }, h("tr", {},
        h("th", { scope: "col", key: "prompt" }, "prompt"),
        columns.map((model) => h("th", { scope: "col", key: model }, state.models[model])))),
      h("tbody", { key: "body" }, page.lines.flatMap((line) => lineTrees(line, columns, isWide, { state, view, span, pointed })))),
    ...(page.pages > 1 ? [pagerTree(page, short.length, view)] : []),
  ];
}

function lineTrees(line, columns, isWide, { state, view, span, pointed }) {
  const rows = line.cells.flatMap((cell) => cell.rows);
  const open = rows.filter((row) => view.local.open.has(row));
  const byModel = new Map(line.cells.map((cell) => [cell.model, cell]));
  const models = isWide ? line.cells.map(({ model }) => model) : columns;
  return [
    h("tr", { key: line.key, class: "lk-line" },
      promptTree(line, rows, open, { state, view, pointed }),
      models.map((model) => (byModel.has(model)
        ? cellTree(line, byModel.get(model), state, view)
        : h("td", { key: model, class: "lk-none lk-soft" }, "–")))),
    open.length
      ? h("tr", { key: `${line.key} open`, class: "lk-opened" }, h("td", { colspan: span },
          h("div", { class: cardsClass(open.length) }, open.map((row) =>
            cardTree(cardOf(state, row), row, state, view, () => closeOne(row, view))))))
      : null,
  ].filter(Boolean);
}

function promptTree(line, rows, open, { state, view, pointed }) {
  const { text, more } = state.prompts[line.prompt];
  const { unfolded, search } = view.local;
  const key = `prompt ${line.prompt}`;
  const isUnfolded = unfolded.has(key);
  const toggleText = () => {
    if (isUnfolded) unfolded.delete(key);
    else unfolded.add(key);
    view.repaint();
  };
  const toggleAll = () => {
    if (open.length) for (const row of open) view.local.open.delete(row);
    else for (const row of rows.slice(0, MOST_OPEN)) view.local.open.add(row);
    view.repaint();
  };
  const count = Math.min(rows.length, MOST_OPEN);
  const opening = rows.length > MOST_OPEN ? `Open the first ${MOST_OPEN}` : `Open ${count === 1 ? "the answer" : `all ${count}`}`;
  return h("th", { scope: "row", key: "prompt", same: [text.length, line.prompt, isUnfolded, search, open.length, rows.length, rows[0], pointed].join("|") },
    h("span", { class: `lk-prompt${isUnfolded ? " lk-whole" : ""}`, dir: "auto", key: "text", after: (node) =>
      node.parentElement.classList.toggle("lk-cut", isUnfolded || node.scrollHeight > node.clientHeight + 4) },
      isUnfolded || search ? marked(text, search) : text.slice(0, PREVIEW * 2),
      more && isUnfolded ? ` … and ${more.toLocaleString("en")} further characters` : null),
    pointed && state.points[line.point] ? h("span", { class: "lk-point", key: "point" }, state.points[line.point]) : null,
    h("span", { class: "lk-lineactions", key: "actions" },
      pageButton(isUnfolded ? "less" : "whole prompt", toggleText, { class: "lk-small lk-all", key: "whole", "aria-expanded": String(isUnfolded) }),
      pageButton(open.length ? "Close" : opening, toggleAll, { class: "lk-small", key: "all", "aria-expanded": String(open.length > 0) })));
}

function cellTree(line, { model, rows }, state, view) {
  const { places, open, search } = view.local;
  const key = `${line.key}/${model}`;
  const at = Math.min(places.get(key) ?? 0, rows.length - 1);
  const row = rows[at];
  const card = cardOf(state, row);
  const isOpen = open.has(row);
  const quiet = silence(card, state, view);
  const point = rows.length > 1 ? state.points[state.rows[row][2]] : "";
  const short = card.facts.filter((fact) => !fact.startsWith("first ")).map((fact) => fact.replace(/ at .*/, ""));
  const facts = [...short, quiet].filter(Boolean).join(" · ");
  const isGood = card.state === "complete";
  const status = h("span", { class: `lk-status lk-${card.tone}`, key: "status" }, isGood ? `${card.mark} ` : `${card.mark} ${wordOf(card, view)}`);
  const turn = (by) => () => {
    places.set(key, at + by);
    view.repaint();
  };
  return h("td", { key: model, "data-row": row, "data-state": card.state,
    same: [row, card.tick, quiet, view.gone(), isOpen, search, at, rows.length, point, state.models[model]].join("|") },
    h("span", { class: "lk-model", key: "model" }, state.models[model]),
    pageButton([
      isGood ? null : status,
      h("span", { class: "lk-first", dir: "auto", key: "text" }, isGood ? status : null, h("span", { key: "words" }, preview(card, search))),
      facts ? h("span", { class: "lk-small lk-soft", key: "facts" }, facts) : null,
    ], () => toggleOne(row, view), { class: "lk-cell", key: "cell", id: `${view.id}-${row}`, "aria-expanded": String(isOpen) }),
    rows.length > 1
      ? h("span", { class: "lk-pages", key: "pages" },
          pageButton("‹", () => at > 0 && turn(-1)(), { class: "lk-small", "aria-disabled": String(at === 0), "aria-label": `Previous answer of ${state.models[model]}` }),
          h("span", {}, ` ${at + 1} of ${rows.length} `),
          pageButton("›", () => at < rows.length - 1 && turn(1)(), { class: "lk-small", "aria-disabled": String(at === rows.length - 1), "aria-label": `Next answer of ${state.models[model]}` }),
          point ? h("span", { class: "lk-point" }, point) : null)
      : null);
}

/** Returns the first lines of an answer; during a search, the lines around its first hit. */
function preview(card, search) {
  if (!search) return beginning(card, PREVIEW);
  const text = card.text || card.error;
  const hit = text.search(finder(search));
  if (hit <= CONTEXT) return marked(uncut(text.slice(0, PREVIEW)), search);
  return ["… ", marked(uncut(text.slice(hit - CONTEXT, hit - CONTEXT + PREVIEW)), search)];
}

function toggleOne(row, view) {
  const { open } = view.local;
  if (open.has(row)) open.delete(row);
  else open.add(row);
  view.repaint();
}

/** Closes a card; the focus returns to its cell. */
function closeOne(row, view) {
  view.local.open.delete(row);
  view.root.querySelector(`#${view.id}-${row}`)?.focus({ preventScroll: true });
  view.repaint();
}

function closeByKey(event, view) {
  const row = Number(event.target.closest("[data-row]")?.dataset.row ?? NaN);
  if (event.key !== "Escape" || !view.local.open.has(row)) return;
  closeOne(row, view);
}

function pagerTree({ page, pages, first, lines }, count, view) {
  const turn = (to) => () => {
    if (to < 0 || to >= pages) return;
    view.local.page = to;
    view.local.jumpsTo = "matrix";
    view.repaint();
  };
  const size = lines.length === 1 ? `${first + 1}` : `${first + 1}–${first + lines.length}`;
  const kind = isSplitLine(lines[0]) ? "lines" : "prompts";
  return h("nav", { class: "lk-bar lk-pager", key: "pager", "aria-label": "pages" },
    pageButton("‹ Previous", turn(page - 1), { key: "previous", "aria-disabled": String(page === 0) }),
    h("span", { key: "place", role: "status" }, `${size} of ${count.toLocaleString("en")} ${kind}`),
    pageButton("Next ›", turn(page + 1), { key: "next", "aria-disabled": String(page === pages - 1) }));
}

function isSplitLine(line) {
  return line.point !== undefined;
}

/** Scrolls to *node* once after a click that leads there. */
export function jump(node, view, name) {
  if (view.local.jumpsTo !== name) return;
  view.local.jumpsTo = null;
  node.scrollIntoView({ block: "nearest" });
  if (node.getBoundingClientRect().top < 0) node.scrollIntoView({ block: "start" });
}
