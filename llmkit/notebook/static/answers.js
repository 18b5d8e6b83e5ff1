// Renders streaming answers side by side, and applies messages to their state.
// Pure functions. The text of a card stays plain text; its `markup`, present if the user asked for
// Markdown, was sanitised in the kernel.
import { h } from "./tree.js";
import { button } from "./base.js";

const COLUMNS = { 3: "lk-three", 4: "lk-four", 7: "lk-four", 8: "lk-four" };
const AS_WRITTEN =
  "white-space:pre-wrap;word-break:normal;overflow-wrap:anywhere;font-family:inherit;" +
  "font-size:inherit;background:transparent;color:inherit;border:0;padding:0;margin:.6em 0";

const HEAD = 2_000; // characters
const SILENT_S = 5; // from then on the card says it
const STOP_S = 30; // from then on each running answer has its own Stop

/** Returns the state after a message about answers. */
export function grown(state, message) {
  if (message.kind !== "grow") return state;
  const changes = new Map(message.answers.map((change) => [change.row, change]));
  const cards = state.cards.map((card) => (changes.has(card.row) ? next(card, changes.get(card.row)) : card));
  return { ...state, cards, left: message.left, stopping: message.stopping, pause: message.pause };
}

function next(card, change) {
  if (!change.card) {
    const text = card.text + (change.add ?? "");
    const reasoning = card.reasoning + (change.think ?? "");
    const head = (card.head ?? "").length < HEAD ? text : card.head; // for `beginning`
    const { facts, last_s } = change;
    return { ...card, state: "writing", mark: "✎", word: "writing", text, head, reasoning, facts, last_s };
  }
  const { text_end: textEnd = "", reasoning_end: reasoningEnd = "", ...last } = change.card;
  return {
    text: card.text + textEnd,
    reasoning: card.reasoning + reasoningEnd,
    ...last, // has `text` if the final text differs from the streamed text
  };
}

/** Groups consecutive cards of the same prompt. */
export function byPrompt(cards) {
  const groups = [];
  for (const card of cards) {
    const last = groups.at(-1);
    if (last && last.group === card.group && last.prompt === card.prompt) last.cards.push(card);
    else groups.push({ group: card.group, prompt: card.prompt, cards: [card] });
  }
  return groups;
}

/** Returns the progress, such as "2 of 4 answers · openai asks for 90 s, until 14:07". */
export function progress(state) {
  const all = state.cards.length;
  const done = `${all - state.left} of ${all} answer${all === 1 ? "" : "s"}`;
  if (!state.left) return done;
  return [done, state.stopping && "stopping", state.pause].filter(Boolean).join(" · ");
}

/** Returns the beginning of an answer, on one line. */
export function beginning(card, most = 72) {
  // Only the head, because this runs at each repaint of a growing answer.
  const line = (card.head || card.text || card.error).slice(0, HEAD).replace(/\s+/g, " ").trim();
  return line.length > most ? `${line.slice(0, most - 1)}…` : line;
}

/** Returns how long a running answer has been silent, and its own Stop; nothing at first. */
export function patience(card, state, view) {
  if (card.state !== "waiting" && card.state !== "writing") return { silence: "", stop: null };
  const elapsed = state.elapsed_s + view.age();
  const seconds = Math.floor(elapsed - card.last_s);
  const minutes = Math.floor(seconds / 60);
  const time = minutes > 1 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
  const label = { class: "lk-stop", "aria-label": `Stop ${card.row}: ${card.name}` };
  return {
    silence: seconds < SILENT_S ? "" : `silent for ${time}`,
    stop: elapsed < STOP_S ? null
      : h("span", { class: "lk-actions" }, " ", button(view, "■ Stop", "stop", { row: card.row }, label)),
  };
}

/** Returns the notes and the answers: cards, or a table of folded cards if there are many. */
export function answers(state, view) {
  const paint = state.folded ? grid : sideBySide;
  return [
    ...state.notes.map((note) => h("p", { class: "lk-note" }, note)),
    ...byPrompt(state.cards).flatMap(({ prompt, cards }) => [h("h3", {}, prompt), paint(cards, state, view)]),
  ];
}

function sideBySide(cards, state, view) {
  const shape = `lk-cards ${COLUMNS[cards.length] ?? ""}`.trim();
  return h("div", { class: shape }, cards.map((card) => cardView(card, state, view)));
}

/** Returns the card of one answer. */
export function cardView(card, state, view) {
  const { silence, stop } = patience(card, state, view);
  const status = [`${card.mark} ${card.word}`, silence].filter(Boolean).join(" · ");
  return h(
    "section",
    { class: "lk-card", key: card.row, "aria-label": card.name, "data-state": card.state },
    h("h4", {}, card.name),
    [card.served, card.point].filter(Boolean).map((said) => h("p", { class: "lk-point" }, said)),
    // Not a live region: a screen reader reads the seconds on request, and does not announce each.
    h("p", { class: `lk-${card.tone}` }, status, stop),
    card.error ? h("p", { class: card.tone === "bad" ? "lk-bad" : "lk-note" }, card.error) : null,
    card.reasoning
      ? h("details", {}, h("summary", {}, "reasoning"),
          h("pre", { style: AS_WRITTEN }, card.reasoning))
      : null,
    body(card),
    card.remarks.map((said) => h("p", { class: "lk-note" }, said)),
    h("p", { class: "lk-facts" }, card.facts.join(" · ")),
  );
}

function body(card) {
  if (card.markup) return h("div", { class: "lk-answer", markup: card.markup, tabindex: "0" });
  return card.text ? h("pre", { class: "lk-answer", style: AS_WRITTEN, tabindex: "0" }, card.text) : null;
}

/** Returns a table with one line for each answer; a click opens its card. */
function grid(cards, state, view) {
  const heads = ["model", "parameters", "status", "answer", "took"];
  return h(
    "table",
    { class: "lk-grid" },
    h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, head)))),
    h("tbody", {}, cards.map((card) => line(card, state, view))),
  );
}

function line(card, state, view) {
  const open = view.local.open.has(card.row);
  const { silence, stop } = patience(card, state, view);
  return h(
    "tr",
    { key: card.row, "data-state": card.state },
    h("td", {}, card.name),
    h("td", {}, card.point),
    h("td", { class: `lk-fixed lk-${card.tone}` }, `${card.mark} ${card.word}`),
    h("td", {}, fold(card, state, view, open)),
    h("td", { class: "lk-soft" }, [...card.facts, silence].filter(Boolean).join(" · "), stop),
  );
}

function fold(card, state, view, open) {
  const toggle = (event) => {
    if (event.target.open) view.local.open.add(card.row);
    else view.local.open.delete(card.row);
    view.repaint();
  };
  // A folded card is not painted, because a hundred answers may stream at the same time.
  return h("details", { toggle, open }, h("summary", {}, beginning(card) || "…"), open ? cardView(card, state, view) : null);
}

/** Returns the controls for Stop, Markdown and differences. */
export function controls(state, view) {
  const words = { on: !state.markdown };
  return h(
    "div",
    { class: "lk-bar" },
    state.left ? button(view, "■ Stop", "stop", {}, { class: "lk-stop" }) : null,
    h("span", { role: "status", class: "lk-soft" }, progress(state)),
    h("label", { class: "lk-switch" },
      h("input", { type: "checkbox", checked: state.markdown !== view.waits("markdown", words), change: () => view.act("markdown", words) }),
      "Markdown"),
    state.cards.length > 1 ? differ(state, view) : null,
  );
}

function differ(state, view) {
  const pair = view.local.pair;
  const choose = (which) =>
    h("select",
      { "aria-label": `${which} answer`, class: "lk-which", change: (e) => { pair[which] = Number(e.target.value); } },
      state.cards.map((card) =>
        h("option", { value: card.row, selected: card.row === chosen(state, pair, which) },
          `${card.row}: ${card.name}`)));
  const ask = () => view.act("differ",
    { first: chosen(state, pair, "first"), second: chosen(state, pair, "second") });
  return h("span", { class: "lk-differs" },
    choose("first"), choose("second"),
    h("button", { type: "button", click: ask }, "Differences"),
    state.differences
      ? h("button", { type: "button", click: () => view.act("differ") }, "Hide")
      : null);
}

function chosen(state, pair, which) {
  return pair[which] ?? state.cards[which === "first" ? 0 : 1].row;
}

/** Returns the word-by-word diff of two answers. */
export function differences(found) {
  if (!found) return [];
  const tags = { gone: "del", new: "ins" };
  return [
    h("p", { class: "lk-note" }, h("del", {}, `only ${found.names[0]}`), " · ",
      h("ins", {}, `only ${found.names[1]}`)),
    h("p", { class: "lk-differ", style: "white-space:pre-wrap" },
      found.pieces.map(([kind, text]) => (tags[kind] ? h(tags[kind], {}, text) : text))),
  ];
}

/** Returns the initial local state of a view of answers. */
export function fresh() {
  return { open: new Set(), pair: { first: null, second: null } };
}
