import assert from "node:assert/strict";
import test from "node:test";

import { actionKey, button, reduced } from "../../llmkit/notebook/static/base.js";
import { h, textOf } from "../../llmkit/notebook/static/tree.js";

test("a state message replaces the state, others go to the panel's own reducer", () => {
  const add = (state, message) => ({ ...state, n: state.n + message.by });

  assert.deepEqual(reduced(null, { kind: "state", state: { n: 1 } }, add), { n: 1 });
  assert.deepEqual(reduced({ n: 1 }, { kind: "more", by: 2 }, add), { n: 3 });
  assert.equal(reduced(null, { kind: "more", by: 2 }, add), null);
});

test("the order of arguments does not change the key of an action", () => {
  assert.equal(actionKey("check", { a: 1, b: 2 }), actionKey("check", { b: 2, a: 1 }));
  assert.notEqual(actionKey("check", { a: 1 }), actionKey("check", { a: 2 }));
});

test("a queued button says so, keeps the focus, and queues no second action", () => {
  let asked = 0;
  const view = { waits: () => true, act: () => { asked += 1; } };
  const tree = button(view, "Check", "check");
  tree.attributes.click();

  assert.equal(asked, 0);
  assert.equal(tree.attributes["aria-disabled"], "true");
  assert.equal(tree.attributes.disabled, undefined);
  assert.match(textOf(tree), /queued/);
});

test("missing children leave no node", () => {
  assert.deepEqual(h("p", {}, null, false, [undefined, "a"], 0).children, ["a", "0"]);
});
