import assert from "node:assert/strict";
import test from "node:test";

import { paint as paintAuth } from "../../llmkit/notebook/static/auth.js";
import { paint as paintModels, picked } from "../../llmkit/notebook/static/models.js";
import { paint as paintSessions } from "../../llmkit/notebook/static/sessions.js";
import { classOf, tableTree } from "../../llmkit/notebook/static/table.js";
import { textOf } from "../../llmkit/notebook/static/tree.js";

const column = (name, more = {}) => ({ name, number: false, fixed: false, spare: 0, long: false, ...more });
const table = (caption, columns, ...lines) => ({
  caption, columns, empty: "no rows", note: "",
  lines: lines.map(([id, ...cells]) => ({ id, cells })),
});

/** Returns every element of a tree that matches *wanted*. */
function all(trees, wanted) {
  return [trees].flat(Infinity).filter((t) => typeof t === "object").flatMap((tree) =>
    [...(wanted(tree) ? [tree] : []), ...all(tree.children, wanted)]);
}
const buttons = (trees) => all(trees, (t) => t.tag === "button");
const named = (trees, name) =>
  buttons(trees).find((t) => (t.attributes["aria-label"] ?? textOf(t)) === name);

/** Returns a view that records the requested actions. */
function view(local = {}) {
  const asked = [];
  return {
    local, asked,
    waits: () => false,
    act: (verb, words, ...rest) => asked.push([verb, words, ...rest].filter((word) => word !== undefined)),
    repaint: () => asked.push(["repaint"]),
  };
}

test("a table has a caption, headed columns and cells in their tones", () => {
  const tree = tableTree(table("Keys", [column("state"), column("n", { number: true })],
    ["a", ["✓ ready", "good"], ["3"]]));

  assert.deepEqual(all(tree, (t) => t.tag === "caption").map(textOf), ["Keys"]);
  assert.deepEqual(all(tree, (t) => t.tag === "th").map((t) => t.attributes.scope), ["col", "col"]);
  assert.deepEqual(all(tree, (t) => t.tag === "td").map((t) => t.attributes.class),
    ["lk-good", "lk-number"]);
});

test("an empty table says so, and has no head", () => {
  const tree = tableTree(table("Leaks", [column("state")]));

  assert.equal(all(tree, (t) => t.tag === "th").length, 0);
  assert.deepEqual(all(tree, (t) => t.tag === "td").map(textOf), ["no rows"]);
});

test("state and actions are adjacent, and a narrow page has sentences below the line", () => {
  const tree = tableTree(
    table("Keys", [column("state"), column("advice", { long: true })], ["a", ["✗ no"], ["Do it."]]),
    { actions: () => "act" });

  assert.deepEqual(all(tree, (t) => t.tag === "th").map(textOf), ["state", "actions", "advice"]);
  const rows = all(tree, (t) => t.tag === "tr").slice(1);
  assert.deepEqual(rows.map(textOf), ["✗ noactDo it.", "Do it."]);
  assert.equal(rows[1].attributes.class, "lk-narrow");
});

test("every row and what is below it have keys, so that a repaint moves nothing", () => {
  const tree = tableTree(table("T", [column("a")], ["x", ["1"]], ["y", ["2"]]),
    { below: (line) => (line.id === "x" ? "more" : null) });

  assert.deepEqual(all(tree, (t) => t.tag === "tr").map((t) => t.attributes.key),
    [undefined, "x", "x below", "y"]);
});

test("a cell without tone or kind has no class", () => {
  assert.equal(classOf(column("a")), null);
  assert.equal(classOf(column("a", { spare: 2, fixed: true }), ["x", "bad"]),
    "lk-fixed lk-spare-2 lk-bad");
});

const models = {
  models: table("Models", [column("name")], ["gpt-4", ["gpt-4"]], ["gemini-pro", ["gemini-pro"]]),
  words: {
    "gpt-4": ["gpt-4 openai flagship", "gpt-4 openai flagship google:gemini-pro"],
    "gemini-pro": ["gemini-pro google small", "gemini-pro google small openai:gpt-3.5-turbo"],
  },
  tags: { "gpt-4": ["tools"], "gemini-pro": ["tools", "vision"] },
  chips: ["vision", "tools"], filter: "", told: {}, today: {},
};

test("a filter looks at a name's own words before the ids at other providers", () => {
  assert.deepEqual([...picked(models, "gemini", new Set())], ["gemini-pro"]);
  assert.deepEqual([...picked(models, "GPT-3.5", new Set())], ["gemini-pro"]);
  assert.deepEqual([...picked(models, " openai  flag", new Set())], ["gpt-4"]);
  assert.deepEqual([...picked(models, "nobody", new Set())], []);
});

test("chips and filter narrow together", () => {
  assert.deepEqual([...picked(models, "", new Set(["vision"]))], ["gemini-pro"]);
  assert.deepEqual([...picked(models, "gpt", new Set(["tools"]))], ["gpt-4"]);
  assert.equal(picked(models, "", new Set()).size, 2);
});

test("a click on a name asks about it once, a second one folds it", () => {
  const seen = view({ filter: null, chips: new Set(), open: null });
  named(paintModels(models, seen), "▸ gpt-4").attributes.click();
  assert.deepEqual(seen.asked, [["explain", { name: "gpt-4" }], ["repaint"]]);

  named(paintModels(models, seen), "▾ gpt-4").attributes.click();
  assert.equal(seen.local.open, null);
  assert.equal(seen.asked.length, 3);
});

test("the current id of each provider can be copied and compared", () => {
  const then = table("then and today", ["provider", "then", "state", "today"].map((n) => column(n)),
    ["openai", ["openai"], ["gpt-4"], ["✗ retired"], ["gpt-6-luna · 1M · 1 / 6"]],
    ["google", ["google"], ["gemini-4"], ["● active"], ["the same"]],
    ["mistral", ["mistral"], ["tiny"], ["✗ retired"], ["none"]]);
  const told = { ...models, told: { "gpt-4": [then] },
    today: { openai: "gpt-6-luna", google: "gemini-4" } };
  const trees = paintModels(told, view({ filter: "", chips: new Set(), open: "gpt-4" }));

  const labels = buttons(trees).map((b) => b.attributes["aria-label"]).filter(Boolean);
  assert.deepEqual(labels, ["Copy gpt-4", "Compare gpt-4", "Copy openai:gpt-6-luna",
    "Compare openai:gpt-6-luna", "Copy google:gemini-4", "Compare google:gemini-4"]);
});

test("only what is open can be closed", () => {
  const state = {
    sessions: table("Sessions", [column("status")], ["s2", ["● open"]], ["s1", ["○ closed"]]),
    leaks: table("Leaks", [column("status")]), closable: ["s2"], stale: 1,
  };
  const seen = view();
  const trees = paintSessions(state, seen);

  assert.deepEqual(buttons(trees).map(textOf), ["Close stale (1)", "Close all (1)", "Close"]);
  named(trees, "Close s2").attributes.click();
  assert.deepEqual(seen.asked, [["close", { what: "s2" }, ]]);
});

test("a key is sent, cleared from the page, and is in no action's key", () => {
  const state = { auth: table("Sign-in", [column("state")], ["openai", ["– no key"]]),
    takes_key: ["openai"], typed: [] };
  const seen = view({ open: "openai" });
  const [form] = all(paintAuth(state, seen), (t) => t.tag === "form");
  const box = { value: "sk-canary" };
  form.attributes.submit({ preventDefault: () => {}, target: { elements: { key: box } } });

  assert.deepEqual(seen.asked, [["key", { provider: "openai" }, { key: "sk-canary" }]]);
  assert.equal(box.value, "");
  assert.ok(!JSON.stringify(seen.local).includes("canary"));
});

test("only a key that was typed in can be forgotten", () => {
  const state = { auth: table("Sign-in", [column("state")], ["openai", ["✓"]], ["local", ["✓"]]),
    takes_key: ["openai"], typed: ["openai"] };
  const labels = buttons(paintAuth(state, view())).map((b) => b.attributes["aria-label"]);

  assert.deepEqual(labels, [undefined, "Check openai", "Enter a key for openai",
    "Forget the key of openai", "Check local"]);
});
