// The state of a view of answers: what the kernel sent, and how its messages change it.
// Pure functions, except that the map of the cards is changed in place: it may have 10,000 entries.

const HEAD = 2_000; // characters that cells and searches of a growing answer read first
const WAITING = {
  state: "waiting", mark: "○", word: "waiting", tone: "soft", error: "", why: "", key: "", text: "",
  cut: 0, reasoning: "", served: "", remarks: [], facts: [], values: {}, last_s: 0, blocks: [],
  head: "", tick: 0,
};
const RUNNING = new Set(["waiting", "writing"]);

/** Returns the card of an answer; an answer that has not begun has one that waits. */
export function cardOf(state, row) {
  return state.cards.get(row) ?? WAITING;
}

/** Returns true while the answer may still grow. */
export function isRunning(card) {
  return RUNNING.has(card.state);
}

/** Returns true if the answer is complete, or as long as it was allowed to be. */
export function isOk(card) {
  return card.state === "complete" || card.state === "length";
}

/** Returns true if the answer ended, but not well. */
export function isFailed(card) {
  return !isRunning(card) && !isOk(card);
}

/** Returns the state after a message about answers. */
export function grown(state, message) {
  if (message.kind !== "grow") return state;
  const { kind, answers, ...progress } = message;
  let lost = state.lost ?? 0;
  for (const change of answers) {
    const card = cardOf(state, change.row);
    const next = nextCard(card, change);
    // Another page asked for other answers, so that the kernel renders this one no longer.
    if (card.blocks.length && !next.blocks.length) lost += 1;
    state.cards.set(change.row, next);
  }
  return { ...state, ...progress, version: state.version + 1, lost };
}

/** Returns a whole new state with the cards of the old one, if it is the same run. */
export function kept(old, next) {
  if (!next) return next;
  const cards = old && old.id === next.id ? old.cards : new Map();
  return { ...next, cards, version: (old?.version ?? 0) + 1 };
}

function nextCard(card, change) {
  const next = change.card ? wholeCard(card, change.card) : grownCard(card, change);
  if (change.blocks) next.blocks = [...card.blocks.slice(0, change.keep ?? 0), ...change.blocks];
  next.tick = card.tick + 1;
  return next;
}

function grownCard(card, { add = "", think = "", facts, last_s }) {
  if (!isRunning(card) && !add && !think) return { ...card }; // only its Markdown came
  const text = card.text + add;
  return {
    ...card, state: "writing", mark: "✎", word: "writing", tone: "soft", text,
    reasoning: card.reasoning + think, facts: facts ?? card.facts, last_s: last_s ?? card.last_s,
    blocks: add ? [] : card.blocks, // they lack the new text; what the message has replaces them
    head: card.head.length < HEAD ? text.slice(0, HEAD) : card.head,
  };
}

function wholeCard(card, { text_end: textEnd = "", reasoning_end: reasoningEnd = "", ...last }) {
  const next = {
    ...WAITING, text: card.text + textEnd, reasoning: card.reasoning + reasoningEnd, ...last,
  };
  // The final text may differ from the streamed text; then its Markdown is sent again.
  next.blocks = next.text === card.text ? card.blocks : [];
  next.head = next.text.slice(0, HEAD);
  return next;
}

/** Returns the beginning of an answer, at most three lines and *most* characters. */
export function beginning(card, most = 300) {
  const lines = (card.head || card.error).trim().replace(/[^\S\n]+/g, " ").replace(/\s*\n\s*/g, "\n").split("\n");
  const text = lines.slice(0, 3).join("\n");
  if (text.length <= most && lines.length <= 3 && card.text.length <= HEAD) return text;
  return `${uncut(text.slice(0, most - 2))} …`;
}

/** Returns *text* without half a character at its ends, where it was cut. */
export function uncut(text) {
  return text.replace(/^[\udc00-\udfff]|[\ud800-\udbff]$/g, "");
}

/** Returns a duration in words, such as "2 min 5 s". */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return whole < 120 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
