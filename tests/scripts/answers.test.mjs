import assert from "node:assert/strict";
import test from "node:test";

import { h, marked, textOf } from "../../llmkit/notebook/static/tree.js";
import { answers, controls, differences, fresh } from "../../llmkit/notebook/static/answers.js";
import { cardTree, silence } from "../../llmkit/notebook/static/card.js";
import { chosenLines, isSplit, pageOf, shortLines, statuses, wholeChoice } from "../../llmkit/notebook/static/choice.js";
import { beginning, cardOf, grown, kept, uncut } from "../../llmkit/notebook/static/growth.js";

const card = (changes = {}) => ({
  state: "complete", mark: "✓", word: "complete", tone: "good", error: "", why: "", key: "",
  text: "", cut: 0, reasoning: "", served: "", remarks: [], facts: [], values: {}, last_s: 0, ...changes,
});

/** Returns the state of a run; *cards* are by row. */
function running({ prompts = ["why?"], models = ["a"], points = [""], cards = [], ...rest } = {}) {
  const rows = prompts.flatMap((_, p) => models.flatMap((_, m) => points.map((_, q) => [p, m, q])));
  const state = kept(null, {
    prompts: prompts.map((text) => ({ text, more: 0 })), models, points, rows, shared: "", notes: [],
    markdown: false, differences: null, left: rows.length, stopping: false, pause: "", head: "",
    summary: null, elapsed_s: 0, ...rest,
  });
  return cards.length ? grow(state, ...cards.map((one, row) => ({ row, card: one })).filter((change) => change.card)) : state;
}

const grow = (state, ...changes) => grown(state, { kind: "grow", answers: changes });

function view(age = 0) {
  const one = {
    id: "v", local: fresh(), common: {}, waits: () => false, act() {}, repaint() {}, gone: () => false, age: () => age,
    views: () => [one],
  };
  return one;
}

const nodes = (tree, wanted) => (typeof tree === "string" ? []
  : [...(wanted(tree) ? [tree] : []), ...tree.children.flatMap((child) => nodes(child, wanted))]);
const buttons = (trees) => trees.flatMap((tree) => nodes(tree, ({ tag }) => tag === "button"));
const ofClass = (trees, name) => trees.flatMap((tree) =>
  nodes(tree, ({ attributes }) => String(attributes.class ?? "").split(" ").includes(name)));

test("text is added to its own answer, and no other card changes", () => {
  const before = running({ models: ["a", "b"] });
  const other = cardOf(before, 0);
  const after = grow(before, { row: 1, add: "hello ", think: "hm ", facts: ["first text"], last_s: 1 });

  assert.equal(cardOf(after, 1).text, "hello ");
  assert.equal(cardOf(after, 1).reasoning, "hm ");
  assert.equal(cardOf(after, 1).word, "writing");
  assert.equal(cardOf(after, 0), other);
});

test("a final card keeps the text that was sent and adds its end", () => {
  const { text, ...last } = card({ text_end: "you." });
  const after = grow(grow(running(), { row: 0, add: "thank ", facts: [] }), { row: 0, card: last });

  assert.equal(cardOf(after, 0).text, "thank you.");
});

test("a final card with another text replaces the streamed text", () => {
  const after = grow(grow(running(), { row: 0, add: "first", facts: [] }), { row: 0, card: card({ text: "second" }) });

  assert.equal(cardOf(after, 0).text, "second");
});

test("progress replaces the numbers of the state, and other messages change nothing", () => {
  const before = running();
  const after = grown(before, { kind: "grow", answers: [], left: 0, head: "1 answer", pause: "wait" });

  assert.deepEqual([after.left, after.head, after.pause], [0, "1 answer", "wait"]);
  assert.equal(grown(before, { kind: "unheard" }), before);
});

test("blocks of Markdown replace those after the ones that are kept", () => {
  let state = grow(running(), { row: 0, add: "a b", facts: [], keep: 0, blocks: ["<p>a</p>", "<p>b</p>"] });
  state = grow(state, { row: 0, add: "c", facts: [], keep: 1, blocks: ["<p>bc</p>"] });

  assert.deepEqual(cardOf(state, 0).blocks, ["<p>a</p>", "<p>bc</p>"]);
});

test("text without its Markdown makes the page ask for the Markdown again", () => {
  const asked = [];
  const looking = { ...view(), act: (verb, words) => asked.push([verb, words]) };
  let state = { ...grow(running({ markdown: true }), { row: 0, add: "a", facts: [], keep: 0, blocks: ["<p>a</p>"] }) };
  answers(state, looking);
  answers(state, looking);
  state = grow(state, { row: 0, add: "b", facts: [] });
  answers(state, looking);

  assert.deepEqual(cardOf(state, 0).blocks, []);
  assert.deepEqual(asked, [["render", { rows: [0] }], ["render", { rows: [0] }]]);
});

test("a new state of the same run keeps the cards, another run has none", () => {
  const old = running({ id: 1, models: ["a", "b"], cards: [card({ text: "kept" })] });
  const more = kept(old, { ...old, id: 1, left: 1, rows: [...old.rows, [0, 0, 0]] });
  const other = kept(old, { ...old, id: 2, left: 1 });

  assert.equal(cardOf(more, 0).text, "kept");
  assert.equal(cardOf(other, 0).text, "");
});

test("the beginning of a long answer is three lines without the rest", () => {
  const state = running({ cards: [card({ text: ` \n a  b\n\nc\nd\n ${"x".repeat(1_000_000)}` })] });

  assert.equal(beginning(cardOf(state, 0), 100), "a b\nc\nd …");
  assert.equal(uncut("😀😀a".slice(1, 3)), "");
  assert.equal(uncut("😀a😀"), "😀a😀");
  assert.equal(beginning(cardOf(running({ cards: [card({ error: "busy" })] }), 0)), "busy");
});

test("a growing answer keeps the head that its cell shows", () => {
  let state = running();
  for (let i = 0; i < 5_000; i += 1) state = grow(state, { row: 0, add: `w${i} `, facts: [] });
  const { head, text } = cardOf(state, 0);

  assert.ok(head.length <= 2_000 && text.startsWith(head));
});

test("a running answer says how long it has been silent, and a finished one does not", () => {
  const said = (elapsed, age, changes) => {
    const state = running({ elapsed_s: elapsed, cards: [card({ state: "waiting", ...changes })] });
    return silence(cardOf(state, 0), state, view(age));
  };

  assert.equal(said(0, 4.9), "");
  assert.equal(said(0, 5), "silent for 5 s");
  assert.equal(said(20, 10.7, { state: "writing", last_s: 18 }), "silent for 12 s");
  assert.equal(said(0, 125, { state: "writing" }), "silent for 2 min 5 s");
  assert.equal(said(0, 125, { state: "complete" }), "");
});

test("after 30 s each running answer has its own Stop in its card", () => {
  const state = running({ models: ["a", "b", "c"], cards: [card()] });
  const asked = [];
  const acting = { ...view(30), act: (verb, words) => asked.push([verb, words]) };
  const stops = (looking) => buttons(answers(state, looking)).filter((tree) => textOf(tree) === "■ Stop");
  stops(acting).at(-1).attributes.click();

  assert.equal(stops(acting).length, 2);
  assert.equal(stops(acting)[0].attributes["aria-label"], "Stop 1: b");
  assert.deepEqual(asked, [["stop", { row: 2 }]]);
  assert.equal(stops(view(29.9)).length, 0);
});

test("markup in an answer is text", () => {
  const state = running({ cards: [card({ text: "<img src=x onerror=alert(1)>" })] });
  const tree = cardTree(cardOf(state, 0), 0, state, view());

  assert.match(textOf(tree), /<img src=x/);
  assert.ok(!JSON.stringify(tree).includes('"markup"'));
});

test("up to eight answers are cards, more are a matrix that paints only opened cards", () => {
  const models = Array.from({ length: 9 }, (_, i) => `m${i}`);
  const few = answers(running({ models: models.slice(0, 8) }), view());
  const looking = view();
  looking.local.open.add(3);
  const many = answers(running({ models, cards: models.map((name) => card({ text: `by ${name}` })) }), looking);

  assert.equal(ofClass(few, "lk-card").length, 8);
  assert.equal(ofClass(many, "lk-card").length, 1);
  assert.equal(ofClass(many, "lk-cell").length, 9);
  assert.match(many.map(textOf).join(""), /by m8/);
});

test("a page has at most 25 prompts and 200 cells", () => {
  const lines = (prompts, cells) => Array.from({ length: prompts }, () => ({ cells: Array.from({ length: cells }) }));

  assert.equal(pageOf(lines(300, 4), 0).lines.length, 25);
  assert.equal(pageOf(lines(300, 60), 0).lines.length, 3);
  assert.equal(pageOf(lines(30, 4), 99).first, 25);
  assert.deepEqual(shortLines([{ key: "0", cells: Array.from({ length: 450 }) }]).map(({ key, cells }) => [key, cells.length]),
    [["0", 200], ["0+200", 200], ["0+400", 50]]);
});

test("search finds prompts, answers and errors in any case", () => {
  const state = running({
    prompts: ["What is C++?", "b", "c", "d"],
    cards: [card({ text: "one" }), card({ text: "in C++ [sic]" }), card({ state: "error", error: "no c++ here" }), card({ text: "none" })],
  });
  const found = (search) => chosenLines(state, { ...wholeChoice(), search }).lines.map(({ prompt }) => prompt);

  assert.deepEqual(found("C++"), [0, 1, 2]);
  assert.deepEqual(found("[SIC]"), [1]);
  assert.deepEqual(found("missing"), []);
});

test("filters choose by status and model, and count what they show", () => {
  const failed = card({ state: "error", word: "error" });
  const state = running({ prompts: ["p", "q"], models: ["a", "b"], cards: [card(), failed, card()] });
  const shown = (choice) => chosenLines(state, { ...wholeChoice(), ...choice }).shown;

  assert.deepEqual(statuses(state), [["complete", 2], ["error", 1], ["waiting", 1]]);
  assert.deepEqual([shown({}), shown({ status: "ok" }), shown({ status: "not ok" }), shown({ status: "waiting" })], [4, 2, 1, 1]);
  assert.deepEqual([shown({ model: "1" }), shown({ model: "1", status: "ok" })], [2, 0]);
});

test("only where answers differ hides prompts whose answers say the same", () => {
  const state = running({
    prompts: ["p", "q"], models: ["a", "b"],
    cards: [card({ text: "yes" }), card({ text: " yes\n" }), card({ text: "yes" }), card({ text: "no" })],
  });

  assert.deepEqual(chosenLines(state, { ...wholeChoice(), differ: true }).lines.map(({ prompt }) => prompt), [1]);
});

test("the order puts lines, and the answers in their cells, by what is asked for", () => {
  const took = (duration_s, state = "complete") => card({ state, values: { duration_s } });
  const state = running({ prompts: ["p", "q"], points: ["x", "y"], cards: [took(1), took(2), took(9), took(3, "error")] });
  const rows = (order) => chosenLines(state, { ...wholeChoice(), order }).lines.map(({ cells }) => cells[0].rows);

  assert.deepEqual(rows("slow"), [[2, 3], [1, 0]]);
  assert.deepEqual(rows("failed"), [[3, 2], [0, 1]]);
  assert.deepEqual(rows("asked"), [[0, 1], [2, 3]]);
});

test("each repeat has a line of its own if asked, or if there is only one cell", () => {
  const grid = running({ prompts: ["p", "q"], points: ["x", "y"] });
  const lines = chosenLines(grid, { ...wholeChoice(), split: true }).lines;

  assert.deepEqual(lines.map(({ prompt, point }) => [prompt, point]), [[0, 0], [0, 1], [1, 0], [1, 1]]);
  assert.ok(!isSplit(grid, wholeChoice()));
  assert.ok(isSplit(running({ points: ["x", "y"] }), wholeChoice()));
});

test("hits of a search are marked, and special signs mean themselves", () => {
  const [before, hit, after] = marked("is it a.b? yes", "A.B?");

  assert.deepEqual([before, textOf(hit), hit.tag, after], ["is it ", "a.b?", "mark", " yes"]);
  assert.deepEqual(marked("axb", "a.b"), ["axb"]);
});

test("nothing that matches is a sentence that says what to do", () => {
  const looking = view();
  looking.local.search = "missing";
  const trees = answers(running({ models: Array.from({ length: 9 }, (_, i) => `m${i}`) }), looking);

  assert.match(trees.map(textOf).join(""), /No answer matches. Clear the search/);
});

test("Stop is shown only while something runs, and the controls stay", () => {
  const models = Array.from({ length: 9 }, (_, i) => `m${i}`);
  const shown = (left) => textOf(controls({ ...running({ models }), left }, view()));

  assert.match(shown(9), /Stop/);
  assert.doesNotMatch(shown(0), /Stop/);
  assert.match(shown(0), /only where answers differ/);
});

test("two answers have one button for their differences, more are marked one by one", () => {
  const asked = [];
  const acting = { ...view(), act: (verb, words) => asked.push([verb, words]) };
  const cards = [card({ text: "a" }), card({ text: "b" }), card({ text: "c" })];
  const two = running({ models: ["a", "b"], cards: cards.slice(0, 2) });
  const three = running({ models: ["a", "b", "c"], cards });
  buttons([controls(two, acting)]).find((tree) => textOf(tree) === "Differences").attributes.click();
  for (const at of [2, 0]) {
    buttons(answers(three, acting)).filter((tree) => textOf(tree).startsWith("Compare"))[at].attributes.click();
  }

  assert.deepEqual(asked, [["differ", { first: 0, second: 1 }], ["differ", { first: 2, second: 0 }]]);
  assert.equal(nodes(controls(three, view()), ({ tag }) => tag === "select").length, 0);
});

test("cancelled answers without text are one line", () => {
  const idle = card({ state: "cancelled", word: "cancelled" });
  const trees = answers(running({ models: ["a", "b", "c"], cards: [card({ text: "x" }), idle, idle] }), view());

  assert.equal(ofClass(trees, "lk-card").length, 1);
  assert.match(trees.map(textOf).join(""), /2 answers were cancelled before any text came: b, c/);
});

test("an error card has no empty line of facts, and a long error is folded", () => {
  const state = running({ cards: [card({ state: "error", tone: "bad", error: "Refused.", why: "Because." })] });
  const looking = view();
  const [tree] = answers(state, looking).slice(-1);
  const [why] = buttons([tree]);
  why.attributes.click();
  const after = answers(state, looking);

  assert.equal(ofClass([tree], "lk-facts").length, 0);
  assert.doesNotMatch(textOf(tree), /Because/);
  assert.match(after.map(textOf).join(""), /Because/);
});

test("two equal answers are called the same", () => {
  const found = { first: 0, second: 1, names: ["a", "b"], equal: true, pieces: [["same", "x"]] };

  assert.match(differences(found).map(textOf).join(""), /The texts of both answers are the same\./);
  assert.doesNotMatch(differences({ ...found, equal: false }).map(textOf).join(""), /the same/);
});

test("differences are marked by their elements", () => {
  const found = { first: 0, second: 1, names: ["a", "b"], pieces: [["same", "x "], ["gone", "y"], ["new", "z"]] };
  const [, text] = differences(found)[0].children;

  assert.deepEqual(text.children.map((child) => child.tag ?? "text"), ["text", "del", "ins"]);
  assert.deepEqual(differences(null), []);
  assert.equal(textOf(differences(found)[0].children[0]), "only in a · only in b");
  assert.equal(h("p").tag, "p");
});
