// The card of one answer shown whole: status, text, reasoning, facts, and what can be done with it.
import { h, marked } from "./tree.js";
import { button } from "./base.js";
import { copyText } from "./clipboard.js";
import { duration, isRunning } from "./growth.js";
import { keyFlag, keyTrees } from "./key_form.js";

const SILENT_S = 5; // from then on the card says it
const STOP_S = 30; // from then on each running answer has its own Stop
const COPIED_MS = 2_000;

/** Returns the classes of *count* cards side by side. */
export function cardsClass(count) {
  const columns = { 1: "lk-one", 3: "lk-three", 4: "lk-four", 7: "lk-four", 8: "lk-four" }[count];
  return columns ? `lk-cards ${columns}` : "lk-cards";
}

/** Returns a button whose action happens in the page alone, also while the kernel is busy or gone. */
export function pageButton(label, click, attributes = {}) {
  return h("button", { type: "button", "data-local": "", click, ...attributes }, label);
}

/** Returns the seconds since the run started. */
export function elapsed(state, view) {
  return (state.elapsed_s ?? 0) + (state.left ? view.age() : 0);
}

/** Returns how long a running answer has been silent, such as "silent for 12 s"; "" at first. */
export function silence(card, state, view) {
  if (!isRunning(card) || view.gone()) return "";
  const seconds = elapsed(state, view) - card.last_s;
  return seconds < SILENT_S ? "" : `silent for ${duration(seconds)}`;
}

/** Returns the status of an answer in words; nothing is written after the end of the kernel. */
export function wordOf(card, view) {
  return isRunning(card) && view.gone() ? "not finished" : card.word;
}

/** Returns the name of an answer, with its point if the model has several answers. */
export function nameOf(state, row) {
  const [, model, point] = state.rows[row];
  return [state.models[model], state.points[point]].filter(Boolean).join(" · ");
}

/** Returns the card of one answer; *close* is called to close it, if that is possible. */
export function cardTree(card, row, state, view, close = null) {
  const [, model, point] = state.rows[row];
  const served = [card.served, state.points[point]].filter(Boolean);
  const quiet = silence(card, state, view);
  const look = view.local;
  const flags = [
    card.tick, quiet, state.markdown, look.search, look.whole.has(row), isUnfolded("why", row, look),
    isUnfolded("reasoning", row, look), look.copied === row,
    look.copying === row, copyNote(row, view), look.pair.join(), state.rows.length, stopsAlone(card, state, view), view.gone(),
    view.waits("whole", { row }), view.waits("stop", { row }), card.key && keyFlag(card.key, `card ${row}`, view), served.join(),
  ];
  return h(
    "section",
    {
      class: "lk-card", key: `card ${row}`, "data-row": row, "data-state": card.state, same: flags.join("|"),
      "aria-label": nameOf(state, row),
    },
    h("div", { class: "lk-title", key: "title" },
      h("h4", {}, state.models[model]),
      h("span", { class: "lk-actions" }, actions(card, row, state, view, close))),
    copyNote(row, view) ? h("p", { class: "lk-note", role: "status", key: "copy note" }, copyNote(row, view)) : null,
    h("div", { key: "served" }, served.map((text) => h("p", { class: "lk-point" }, text))),
    // Not a live region: a screen reader reads the seconds on request, and does not announce each.
    h("p", { key: "status", class: `lk-status lk-${card.tone}` }, [`${card.mark} ${wordOf(card, view)}`, quiet].filter(Boolean).join(" · ")),
    h("div", { key: "error" }, errorTrees(card, row, view)),
    h("div", { key: "reasoning" }, reasoningTrees(card, row, view)),
    h("div", { key: "text", class: "lk-box" }, textTrees(card, row, state, view)),
    h("div", { key: "remarks" }, card.remarks.map((text) => h("p", { class: "lk-note" }, text))),
    card.facts.length ? h("p", { class: "lk-facts", key: "facts" }, card.facts.join(" · ")) : null,
  );
}

function stopsAlone(card, state, view) {
  return isRunning(card) && state.rows.length > 1 && elapsed(state, view) >= STOP_S;
}

function actions(card, row, state, view, close) {
  const name = nameOf(state, row);
  const { pair, copied, copying } = view.local;
  const place = pair.indexOf(row);
  return [
    stopsAlone(card, state, view)
      ? button(view, "■ Stop", "stop", { row }, { class: "lk-stop", key: "stop", "aria-label": `Stop ${row}: ${name}` }) : null,
    card.text
      ? pageButton(copied === row ? "✓ Copied" : copying === row ? "Copying …" : "Copy", () => copyAnswer(card, row, view),
          { key: "copy", "aria-label": copied === row ? "Copied" : `Copy the answer of ${name}` }) : null,
    state.rows.length > 2 && card.text
      ? pageButton(place < 0 ? "Compare" : `Compare: ${place + 1}`, () => pick(row, view),
          { key: "pick", "aria-pressed": String(place >= 0), "aria-label": `Compare the answer of ${name} with another one` }) : null,
    close ? pageButton("×", close, { key: "close", "aria-label": `Close the answer of ${name}` }) : null,
  ];
}

/** Copies the raw text; the rest of a long answer is asked for first, unless the kernel has ended. */
async function copyAnswer(card, row, view) {
  const { local } = view;
  local.copyNote = null;
  if (card.cut && !view.gone()) {
    local.copying = row;
    view.act("whole", { row }, {}, (error) => {
      if (!error) return;
      local.copying = null;
      local.copyNote = { row, text: "✗ Not copied: the rest of the answer did not come. Press Copy to try again." };
    });
    return;
  }
  local.copying = null;
  const done = await copyText(card.text, view.root);
  local.copied = done && !card.cut ? row : null;
  if (!done) local.copyNote = { row, text: "✗ The browser refused to copy. Press Copy to try again." };
  else if (card.cut) {
    const count = [...card.text].length.toLocaleString("en");
    local.copyNote = { row, text: `Copied the first ${count} characters; the kernel has ended.` };
  }
  view.repaint();
  if (local.copied === row) setTimeout(() => { local.copied = null; view.repaint(); }, COPIED_MS);
}

/** Returns why the whole answer was not copied, "" if it was. */
function copyNote(row, { local }) {
  return local.copyNote?.row === row ? local.copyNote.text : "";
}

/** Marks an answer for Differences; the second marked answer asks for them. */
function pick(row, view) {
  const { pair } = view.local;
  if (pair.includes(row)) pair.splice(pair.indexOf(row), 1);
  else pair.push(row);
  if (pair.length > 2) pair.shift();
  if (pair.length === 2) {
    view.act("differ", { first: pair[0], second: pair[1] });
    view.local.jumpsTo = "differences";
  }
  view.repaint();
}

function errorTrees(card, row, view) {
  if (!card.error) return [];
  const tone = card.tone === "bad" ? "lk-bad" : "lk-note";
  const open = isUnfolded("why", row, view.local);
  return [
    h("p", { class: tone }, marked(card.error, view.local.search)),
    card.why ? foldButton(view, row, "why") : null,
    card.why && open ? h("p", { class: "lk-note" }, marked(card.why, view.local.search)) : null,
    card.key ? h("div", { key: "key" }, keyTrees(card.key, `card ${row}`, view)) : null,
  ];
}

function isUnfolded(label, row, { unfolded }) {
  return unfolded.has(`${label} ${row}`);
}

/** Returns the button that shows or hides a part of the card, named *label*. */
function foldButton(view, row, label) {
  const { unfolded } = view.local;
  const key = `${label} ${row}`;
  const open = unfolded.has(key);
  const toggle = () => {
    if (open) unfolded.delete(key);
    else unfolded.add(key);
    view.repaint();
  };
  return pageButton(`${open ? "▾" : "▸"} ${label}`, toggle, { class: "lk-fold", "aria-expanded": String(open) });
}

function reasoningTrees(card, row, view) {
  if (!card.reasoning) return [];
  const open = isUnfolded("reasoning", row, view.local);
  return [
    foldButton(view, row, "reasoning"),
    open ? boxTree("reasoning", card, row, view, { class: "lk-answer lk-reasoning" }, "pre", card.reasoning) : null,
  ];
}

/** Returns the text as rendered Markdown if the kernel sent it, otherwise as written. */
function textTrees(card, row, state, view) {
  if (!card.text) return [];
  const { search, whole, copying } = view.local;
  if (copying === row && !card.cut) copyAnswer(card, row, view);
  const running = isRunning(card);
  const box = state.markdown && card.blocks.length
    ? boxTree("blocks", card, row, view, { class: "lk-answer lk-markdown" }, "div",
        card.blocks.map((markup, i) => h("div", {
          key: i, class: "lk-block", markup, query: search, copies: !running || i < card.blocks.length - 1,
        })))
    : boxTree("plain", card, row, view, { class: "lk-answer" }, "pre", marked(card.text, search));
  const toggle = () => {
    if (whole.has(row)) whole.delete(row);
    else whole.add(row);
    view.repaint();
  };
  return [
    box,
    pageButton(whole.has(row) ? "Show less" : "Show all", toggle, { class: "lk-all", key: "all", "aria-expanded": String(whole.has(row)) }),
    card.cut
      ? h("p", { class: "lk-note", key: "cut" }, `${card.cut.toLocaleString("en")} further characters are not on this page. `,
          button(view, "Load the rest", "whole", { row })) : null,
  ];
}

/** Returns a box that follows its newest line until the reader scrolls up. */
function boxTree(key, card, row, view, attributes, tag, content) {
  const whole = view.local.whole.has(row);
  return h(tag, {
    key, dir: "auto", tabindex: "0", role: "group", "aria-label": key === "reasoning" ? "reasoning" : "answer", ...attributes,
    class: `${attributes.class}${whole ? " lk-whole" : ""}`,
    scroll: ({ currentTarget: node }) => {
      node.lkFollows = isAtEnd(node);
      node.parentElement.classList.toggle("lk-end", isAtEnd(node));
    },
    after: (node) => {
      if (isRunning(card) && !whole && node.lkFollows !== false) node.scrollTop = node.scrollHeight;
      const cut = node.scrollHeight > node.clientHeight + 4;
      node.parentElement.classList.toggle("lk-cut", cut || whole);
      node.parentElement.classList.toggle("lk-end", isAtEnd(node));
    },
  }, content);
}

function isAtEnd(node) {
  return node.scrollHeight - node.clientHeight - node.scrollTop < 12;
}
