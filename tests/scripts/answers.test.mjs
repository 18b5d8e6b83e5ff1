import assert from "node:assert/strict";
import test from "node:test";

import { textOf } from "../../llmkit/notebook/static/tree.js";
import {
  answers, beginning, byPrompt, controls, differences, fresh, grown, cardView, patience, progress,
} from "../../llmkit/notebook/static/answers.js";

const card = (row, changes = {}) => ({
  row, group: "0", prompt: "why?", name: `m${row}`, served: "", point: "", state: "waiting",
  mark: "○", word: "waiting", tone: "soft", error: "", reasoning: "", text: "", remarks: [],
  facts: [], last_s: 0, ...changes,
});
const state = (...cards) => ({
  cards, notes: [], folded: false, left: cards.length, stopping: false, markdown: false,
  differences: null, elapsed_s: 0,
});
const view = (age = 0) => ({
  local: fresh(), waits: () => false, act() {}, repaint() {}, age: () => age,
});

test("the beginning of a long answer is read without the rest", () => {
  assert.equal(beginning(card(0, { text: ` \n a  b ${"x".repeat(1_000_000)}` }), 6), "a b x…");
  assert.equal(beginning(card(0, { error: "busy" })), "busy");
});

test("a growing answer keeps the head that its folded line shows", () => {
  let growing = state(card(0));
  for (let i = 0; i < 5_000; i += 1) {
    growing = grown(growing, {
      kind: "grow", left: 1, stopping: false, answers: [{ row: 0, add: `w${i} `, facts: [] }],
    });
  }
  const [{ head, text }] = growing.cards;

  assert.ok(head.length < 2_100 && text.startsWith(head));
  assert.equal(beginning(growing.cards[0], 9), "w0 w1 w2…");
});

test("text is added to its own card, and no other card changes", () => {
  const before = state(card(0), card(1));
  const after = grown(before, {
    kind: "grow", left: 2, stopping: false,
    answers: [{ row: 1, add: "hello ", think: "hm ", facts: ["first text"] }],
  });

  assert.equal(after.cards[1].text, "hello ");
  assert.equal(after.cards[1].reasoning, "hm ");
  assert.equal(after.cards[1].word, "writing");
  assert.equal(after.cards[0], before.cards[0]);
  assert.equal(before.cards[1].text, "");
});

test("the progress names a pause of a provider, and drops it", () => {
  const pause = "openai asks for 90 s, until 14:07";
  const waiting = grown(state(card(0)), {
    kind: "grow", left: 1, stopping: false, pause, answers: [],
  });
  const after = grown(waiting, { kind: "grow", left: 1, stopping: true, pause: "", answers: [] });

  assert.equal(progress(waiting), `0 of 1 answer · ${pause}`);
  assert.equal(progress(after), "0 of 1 answer · stopping");
});

test("a final card keeps the text that was sent and adds its end", () => {
  const { text, ...last } = card(0, { state: "complete", text_end: "you." });
  const after = grown(state(card(0, { text: "thank " })), {
    kind: "grow", left: 0, stopping: false, answers: [{ row: 0, card: last }],
  });

  assert.equal(after.cards[0].text, "thank you.");
  assert.equal(after.left, 0);
});

test("a final card with another text replaces the streamed text", () => {
  const after = grown(state(card(0, { text: "from the first" })), {
    kind: "grow", left: 0, stopping: false, answers: [{ row: 0, card: card(0, { text: "second" }) }],
  });

  assert.equal(after.cards[0].text, "second");
});

test("other messages change nothing", () => {
  const before = state(card(0));

  assert.equal(grown(before, { kind: "unheard" }), before);
});

test("equal prompts of two rows of a table stay apart", () => {
  const groups = byPrompt([card(0), card(1), card(2, { group: "1" })]);

  assert.deepEqual(groups.map((g) => g.cards.length), [2, 1]);
});

test("a running answer says how long it has been silent, and a finished one does not", () => {
  const said = (elapsed, age, changes) =>
    patience(card(0, changes), { elapsed_s: elapsed }, view(age)).silence;

  assert.equal(said(0, 4.9), "");
  assert.equal(said(0, 5), "silent for 5 s");
  assert.equal(said(20, 10.7, { state: "writing", last_s: 18 }), "silent for 12 s");
  assert.equal(said(0, 125, { state: "writing" }), "silent for 2 min 5 s");
  assert.equal(said(0, 125, { state: "complete" }), "");
});

test("the silence of an answer ends with its next piece", () => {
  const after = grown(state(card(0), card(1)), {
    kind: "grow", left: 2, stopping: false,
    answers: [{ row: 0, add: "Hi ", facts: [], last_s: 30 }],
  });
  const [first, second] = after.cards.map((one) => textOf(cardView(one, after, view(31))));

  assert.match(first, /✎ writing(?! ·)/);
  assert.match(second, /○ waiting · silent for 31 s/);
});

test("after 30 s each running answer has its own Stop, in a card and in a line", () => {
  const many = Array.from({ length: 9 }, (_, row) => card(row, row ? {} : { state: "complete" }));
  const asked = [];
  const acting = { ...view(30), act: (verb, words) => asked.push([verb, words]) };
  const buttons = (tree) => (typeof tree === "string" ? []
    : [...(tree.tag === "button" ? [tree] : []), ...tree.children.flatMap(buttons)]);
  for (const shown of [state(...many.slice(0, 3)), { ...state(...many), folded: true }]) {
    const found = answers(shown, acting).flatMap(buttons);
    found.at(-1).attributes.click();

    assert.equal(found.length, shown.cards.length - 1);
    assert.equal(found[0].attributes["aria-label"], "Stop 1: m1");
    assert.deepEqual(asked.pop(), ["stop", { row: shown.cards.length - 1 }]);
    assert.equal(answers(shown, view(29.9)).flatMap(buttons).length, 0);
  }
});

test("markup in an answer is text", () => {
  const tree = cardView(card(0, { text: "<img src=x onerror=alert(1)>", state: "complete" }));

  assert.match(textOf(tree), /<img src=x/);
  assert.ok(!JSON.stringify(tree).includes('"markup"'));
});

test("many answers are lines, and only an opened one is painted", () => {
  const many = { ...state(...Array.from({ length: 9 }, (_, i) => card(i, { text: `answer ${i}` }))), folded: true };
  const looking = view();
  looking.local.open.add(3);
  const trees = answers(many, looking);
  const sections = JSON.stringify(trees).match(/"section"/g);

  assert.equal(sections.length, 1);
  assert.match(trees.map(textOf).join(""), /answer 8/);
});

test("a beginning is one short line", () => {
  assert.equal(beginning(card(0, { text: "one\n two" })), "one two");
  assert.equal(beginning(card(0, { text: "x".repeat(100) })).length, 72);
  assert.equal(beginning(card(0, { error: "no key" })), "no key");
});

test("Stop is shown only while something runs", () => {
  assert.match(textOf(controls(state(card(0)), view())), /Stop/);
  assert.doesNotMatch(textOf(controls({ ...state(card(0)), left: 0 }, view())), /Stop/);
});

test("progress is shown as text", () => {
  assert.equal(progress({ ...state(card(0), card(1)), left: 1 }), "1 of 2 answers");
  assert.equal(progress({ ...state(card(0)), stopping: true }), "0 of 1 answer · stopping");
});

test("differences are marked by their elements", () => {
  const found = { first: 0, second: 1, names: ["a", "b"], pieces: [["same", "x "], ["gone", "y"], ["new", "z"]] };
  const [, text] = differences(found);

  assert.deepEqual(text.children.map((c) => c.tag ?? "text"), ["text", "del", "ins"]);
  assert.deepEqual(differences(null), []);
});
