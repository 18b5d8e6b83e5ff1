// The view of the answers of a run: its head, its controls, and the answers as cards or as a matrix.
// A card or a cell is painted again only if its answer changed.
import { h } from "./tree.js";
import { button } from "./base.js";
import { cardOf, duration, grown, isFailed, isOk, kept } from "./growth.js";
import { cardsClass, cardTree, elapsed, nameOf, pageButton } from "./card.js";
import { chosenLines, hasPoints, indexOf, isNarrow, isSplit, ORDERS, statuses, wholeChoice } from "./choice.js";
import { jump, matrixTrees } from "./matrix.js";

const MOST_CARDS = 8; // more answers are a matrix
const MOST_RENDERED = 24; // answers whose Markdown the kernel renders
const EARLY_MS = 5_000; // within which a stored output is renewed after the end
const CHOOSE_MS = 1_000; // while answers stream, filters and order follow them this often

/** Returns the initial local state of a view of answers. */
export function fresh() {
  return {
    ...wholeChoice(), page: 0, open: new Set(), whole: new Set(), unfolded: new Set(), places: new Map(),
    pair: [], copied: null, copying: null, copyNote: null, jumpsTo: null, chosen: null,
  };
}

/** Returns the head line, notes, summary and controls, which stay after the end of a run. */
export function controls(state, view) {
  // Times are not in the live region: a screen reader would announce each second.
  const parts = state.head.split(" · ");
  const isTime = (part) => /^about .* left$/.test(part);
  const head = [...parts.filter((part) => !isTime(part)), state.stopping && state.left ? "stopping" : ""].filter(Boolean).join(" · ");
  const times = [...(view.gone() ? [] : parts.filter(isTime)), state.left && !view.gone() ? duration(elapsed(state, view)) : ""].filter(Boolean).join(" · ");
  return h("div", { class: "lk-top", key: "top" },
    h("div", { class: "lk-bar lk-headbar", key: "head" },
      state.left ? button(view, "■ Stop", "stop", {}, { class: "lk-stop", key: "stop" }) : null,
      h("p", { class: "lk-head", key: "headline" },
        h("span", { role: "status", key: "head" }, head), times ? h("span", { key: "times" }, head ? ` · ${times}` : times) : null)),
    state.pause && !view.gone() ? h("p", { class: "lk-note", key: "pause" }, state.pause) : null,
    isStoredEarly(state, view) ? h("p", { class: "lk-note", key: "early" }, early(state)) : null,
    state.notes.map((note, i) => h("p", { class: "lk-note", key: `note ${i}` }, note)),
    state.shared ? h("p", { class: "lk-point", key: "shared" }, state.shared) : null,
    state.summary ? summaryTree(state.summary) : null,
    barTree(state, view));
}

/**
 * Returns true if the notebook still holds the answers as they were before the page was reopened.
 * At the end of a run its output is renewed a little later than the widget.
 */
function isStoredEarly(state, view) {
  const host = state.left ? null : view.root?.closest("[class*='lk-of-']");
  const name = host && /lk-of-(\w+)/.exec(host.className)[1];
  const stored = name ? [...document.querySelectorAll(`.lk-static-${name}`)] : [];
  // One is empty until the first words of the run, and stays so if it cannot be updated.
  const is = stored.length > 0 && stored.every((output) => !output.childElementCount || output.querySelector(".lk-early"));
  const { local } = view;
  if (!is) local.earlySince = null;
  else if (!local.earlySince) {
    local.earlySince = Date.now();
    setTimeout(view.repaint, EARLY_MS);
  }
  return is && Date.now() - local.earlySince >= EARLY_MS;
}

function early(state) {
  const way = state.where ? `show ${state.where} in a new cell, or run this one again` : "run this cell again";
  return `The notebook still holds an earlier state of these answers, because it was reopened during the run. To store them all, ${way}.`;
}

function summaryTree({ columns, lines }) {
  // A wide or long table scrolls, also by keyboard.
  return h("div", { class: "lk-scroll", key: "summary", tabindex: "0", role: "group", "aria-label": "summary" },
    h("table", { class: "lk-summary", same: JSON.stringify(lines) },
      h("thead", {}, h("tr", {}, columns.map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, lines.map(([name, ...cells]) =>
        h("tr", {}, h("th", { scope: "row" }, name), cells.map((cell) => h("td", {}, cell)))))));
}

function barTree(state, view) {
  const words = { on: !state.markdown };
  const many = state.rows.length > MOST_CARDS;
  return h("div", { class: "lk-bar lk-controls", key: "controls", role: "group", "aria-label": "what is shown" },
    many ? filterTrees(state, view) : null,
    h("label", { class: "lk-switch", key: "markdown", title: "off: each answer as it was written" },
      h("input", {
        type: "checkbox", checked: state.markdown !== view.waits("markdown", words), "aria-disabled": String(view.gone()),
        change: (event) => (view.gone() ? (event.target.checked = state.markdown) : view.act("markdown", words)),
      }), "Markdown"),
    differTrees(state, view));
}

function filterTrees(state, view) {
  const { local } = view;
  const set = (name, value) => {
    local[name] = value;
    local.page = 0;
    local.chosen = null;
    view.repaint();
  };
  const counts = statuses(state);
  const rows = [...state.rows.keys()].map((row) => cardOf(state, row));
  const ok = rows.filter(isOk).length;
  const failed = rows.filter(isFailed).length;
  const total = state.rows.length;
  const shown = local.chosen?.shown ?? total;
  const several = total > state.prompts.length;
  return [
    h("input", {
      type: "search", key: "search", class: "lk-search", placeholder: "search prompts and answers", spellcheck: "false",
      "aria-label": "search prompts, answers and errors", value: local.search, input: (event) => set("search", event.target.value.trim()),
    }),
    choiceTree("status", "status", local.status, [
      ["all", `all ${total.toLocaleString("en")}`], ["ok", `ok ${ok.toLocaleString("en")}`], ["not ok", `not ok ${failed.toLocaleString("en")}`],
      ...counts.filter(([word]) => word !== "complete").map(([word, count]) => [word, `${word} ${count.toLocaleString("en")}`]),
    ], set),
    state.models.length > 1
      ? choiceTree("model", "model", local.model, [["all", `all ${state.models.length}`], ...state.models.map((name, i) => [String(i), name])], set) : null,
    several
      ? h("label", { class: "lk-switch", key: "differ" },
          h("input", { type: "checkbox", checked: local.differ, "data-local": "", change: (event) => set("differ", event.target.checked) }),
          "only where answers differ") : null,
    choiceTree("order", "sort", local.order, Object.entries(ORDERS), set),
    hasPoints(state)
      ? h("label", { class: "lk-switch", key: "split" },
          h("input", { type: "checkbox", checked: isSplit(state, local), "data-local": "", change: (event) => set("split", event.target.checked) }),
          "a line for each repeat") : null,
    isNarrow(local)
      ? h("span", { class: "lk-found", key: "found" },
          h("span", { role: "status" }, `${shown.toLocaleString("en")} of ${total.toLocaleString("en")} shown `),
          pageButton("Clear", () => {
            Object.assign(local, wholeChoice(), { order: local.order, split: local.split, page: 0, chosen: null });
            view.root.querySelector(".lk-search")?.focus();
            view.repaint();
          })) : null,
  ];
}

/** Returns a labelled select; its options stay as they are while it has the focus. */
function choiceTree(name, label, value, options, set) {
  return h("label", { class: "lk-choice", key: name }, `${label} `,
    h("select", { hold: true, "data-local": "", value, change: (event) => set(name, event.target.value) },
      options.map(([key, text]) => h("option", { key, value: key }, text))));
}

function differTrees(state, view) {
  const { pair } = view.local;
  const two = state.rows.length === 2;
  const ask = () => {
    view.local.jumpsTo = "differences";
    view.act("differ", { first: 0, second: 1 });
  };
  const hide = () => {
    pair.length = 0;
    view.act("differ");
    view.repaint();
  };
  return [
    two && !state.differences ? button(view, "Differences", "differ", { first: 0, second: 1 }, { key: "differences", click: ask }) : null,
    !two && pair.length === 1
      ? h("span", { class: "lk-note", key: "picked", role: "status" },
          `Press Compare at another answer to see how it differs from ${nameOf(state, pair[0])}.`) : null,
    state.differences ? button(view, "Hide the differences", "differ", {}, { key: "hide", click: hide }) : null,
  ];
}

/** Returns the word-by-word diff of two answers. */
export function differences(found, view = null) {
  if (!found) return [];
  const tags = { gone: "del", new: "ins" };
  return [
    h("div", { class: "lk-differences", key: "differences", after: (node) => view && jump(node, view, "differences") },
      h("p", { class: "lk-note", key: "names" }, h("del", {}, `only in ${found.names[0]}`), " · ",
        h("ins", {}, `only in ${found.names[1]}`)),
      found.equal ? h("p", { key: "equal" }, "The texts of both answers are the same.") : null,
      h("p", { class: "lk-differ", key: "text", dir: "auto" },
        found.pieces.map(([kind, text]) => (tags[kind] ? h(tags[kind], {}, text) : text)))),
  ];
}

/** Returns the answers: up to eight as cards below their prompt, more as a matrix. */
export function answers(state, view) {
  if (state.rows.length <= MOST_CARDS) {
    askForMarkdown(state, view, [...state.rows.keys()]);
    return indexOf(state).flatMap((models, prompt) => promptTrees(state, view, prompt, [...models.values()].flat()));
  }
  const lines = choose(state, view);
  const trees = lines.length
    ? matrixTrees(state, view, lines)
    : [h("p", { class: "lk-note", key: "nothing" }, "No answer matches. Clear the search or the filters to see all answers.")];
  askForMarkdown(state, view, [...view.local.open].filter((row) => row < state.rows.length));
  return trees;
}

function promptTrees(state, view, prompt, rows) {
  const { text, more } = state.prompts[prompt];
  const idle = rows.filter((row) => { const card = cardOf(state, row); return card.state === "cancelled" && !card.text; });
  const shown = idle.length > 1 ? rows.filter((row) => !idle.includes(row)) : rows;
  return [
    text ? h("h3", { key: `prompt ${prompt}`, dir: "auto" }, more ? `${text} … (${more.toLocaleString("en")} further characters)` : text) : null,
    h("div", { class: cardsClass(shown.length), key: `cards ${prompt}` },
      shown.map((row) => cardTree(cardOf(state, row), row, state, view))),
    idle.length > 1
      ? h("p", { class: "lk-note", key: `idle ${prompt}` },
          `■ ${idle.length} answers were cancelled before any text came: ${idle.map((row) => nameOf(state, row)).join(", ")}`) : null,
  ].filter(Boolean);
}

/** Returns the lines; while answers stream they are chosen again at most once in `CHOOSE_MS`. */
function choose(state, view) {
  const { local } = view;
  const { chosen } = local;
  if (chosen && chosen.rows === state.rows && (chosen.version === state.version || Date.now() - chosen.at < CHOOSE_MS)) {
    return chosen.lines;
  }
  const started = !chosen;
  local.chosen = { ...chosenLines(state, local), rows: state.rows, version: state.version, at: Date.now() };
  // The number of shown answers stands above the table, and was painted before it was known.
  if (started && isNarrow(local)) view.repaint();
  return local.chosen.lines;
}

/**
 * Asks the kernel to render the answers that are shown whole, once for each set of them.
 *
 * The set is that of all views of the widget, in the order in which the answers were opened, so that
 * no view asks again for what another one has replaced.
 */
function askForMarkdown(state, view, rows) {
  const { common } = view;
  view.local.shown = rows;
  const shown = new Set(view.views().flatMap(({ local }) => local.shown ?? []));
  common.opened = [...new Set([...(common.opened ?? []).filter((row) => shown.has(row)), ...shown])];
  if (!state.markdown) {
    common.asked = "";
    return;
  }
  const all = common.opened.slice(-MOST_RENDERED).sort((a, b) => a - b);
  const asked = JSON.stringify([state.id ?? "", state.lost ?? 0, all]);
  if (asked === common.asked || !all.length) return;
  common.asked = asked;
  view.act("render", { rows: all });
}

export { grown, kept };
