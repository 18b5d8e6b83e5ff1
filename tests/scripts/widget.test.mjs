import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import test from "node:test";

import compare from "../../llmkit/notebook/static/compare.js";
import live from "../../llmkit/notebook/static/live.js";
import { panel } from "../../llmkit/notebook/static/base.js";
import { h } from "../../llmkit/notebook/static/tree.js";
import { newModel, newPage, open } from "./page.mjs";

const card = (changes = {}) => ({
  state: "complete", mark: "✓", word: "complete", tone: "good", error: "", why: "", key: "",
  text: "", cut: 0, reasoning: "", served: "", remarks: [], facts: [], values: {}, last_s: 0, ...changes,
});

/** Returns the state of a run with one prompt, and the message with its cards. */
function run(cards, rest = {}) {
  const models = cards.map((_, i) => `m${i}`);
  const state = {
    id: 1, prompts: [{ text: "why?", more: 0 }], models, points: [""], rows: models.map((_, i) => [0, i, 0]), shared: "",
    notes: [], markdown: false, differences: null, left: 0, stopping: false, pause: "", head: "", summary: null,
    elapsed_s: 0, ...rest,
  };
  return [{ kind: "state", state }, { kind: "grow", answers: cards.map((one, row) => ({ row, card: one })) }];
}

/** Opens the view of a run in a new page. */
async function running(t, cards, rest = {}) {
  const page = newPage(t);
  const widget = open(live, page);
  for (const message of run(cards, rest)) widget.model.receive(message);
  await page.settle();
  return { page, ...widget };
}

/** Opens the compare panel in a new page. */
async function comparing(t, rest = {}) {
  const page = newPage(t);
  const widget = open(compare, page);
  const state = {
    names: [], parameters: {}, selection: [], example: null,
    form: { prompt: "Why?", system: "", models: ["a"], numbers: {}, repeats: 1, variable: "" },
    typed: "", faults: {}, estimate: "", notes: [], keys: [], kinds: ["magic", "python"],
    code: { magic: "%%compare a\nWhy?" }, refusals: {}, running: false, said: "", has_variables: true, where: "v", run: null,
    ...rest,
  };
  const tell = async (changes = {}) => {
    widget.model.receive({ kind: "state", state: { ...state, ...changes } });
    await page.settle();
  };
  /** Takes what was typed, as the kernel does. */
  const advise = async (changes = {}) => {
    const typed = widget.model.asked("typed").at(-1).words.serial;
    await tell({ typed, ...changes });
    widget.model.end("typed");
    await page.settle();
  };
  await tell();
  return { page, tell, advise, ...widget };
}

test("a closed widget leaves no timer, no listener at the kernel and no answers", async (t) => {
  const page = newPage(t);
  const heard = new Set();
  const reads = { count: 0 };
  const kernel = {
    status: "idle", isDisposed: false,
    get id() { reads.count += 1; return "k"; },
    statusChanged: { connect: (check) => heard.add(check), disconnect: (check) => heard.delete(check) },
  };
  const model = newModel();
  model.widget_manager.kernel = kernel;
  const states = [];
  const widget = open(panel({ paint: (state) => { states.push(state); return []; } }), page, model);
  model.receive({ kind: "state", state: { n: 1 } });
  await page.settle(5_000);
  const [watched, painted] = [reads.count, states.length];
  widget.close();
  model.receive({ kind: "done", n: "other" });
  await page.settle(10_000);

  assert.ok(watched > 0 && painted > 0);
  assert.equal(heard.size, 0);
  assert.equal(reads.count, watched);
  assert.equal(states.length, painted);
});

test("a widget that its kernel does not know says so, and follows a kernel that answers late", async (t) => {
  const page = newPage(t);
  const kernel = { id: "k", status: "busy", isDisposed: false };
  const model = newModel();
  model.widget_manager.kernel = kernel;
  const { el } = open(panel({ paint: () => [h("p", {}, "painted")] }), page, model);
  const after = async (ms) => { await page.settle(ms); return el.textContent; };
  const busy = await after(30_000);
  kernel.status = "idle";
  const silent = await after(10_000);
  model.receive({ kind: "state", state: {} });
  const answered = await after(10_000);
  kernel.isDisposed = true;
  const ended = await after(10_000);

  assert.match(busy, /waiting for the kernel/);
  assert.match(silent, /kernel was restarted or has ended/);
  assert.equal(answered, "painted");
  assert.match(ended, /kernel was restarted or has ended.*painted/);
});

test("a click leaves no listener at the window", async (t) => {
  const { page, el } = await running(t, [card({ text: "yes" })]);
  for (const kind of ["pointerup", "pointercancel", "pointerup"]) {
    el.childNodes[0].dispatchEvent(new Event("pointerdown"));
    page.events.dispatchEvent(new Event(kind));
  }

  assert.deepEqual(["pointerup", "pointercancel"].flatMap((kind) => getEventListeners(page.events, kind)), []);
});

test("an action tells the view that asked for it how it ended, also if the kernel ends", async (t) => {
  const page = newPage(t);
  const ends = [];
  const { model, el } = open(panel({ paint: (state, view) => ["one", "two", "three"].map((verb) =>
    h("button", { click: () => view.act(verb, {}, {}, (error) => ends.push([verb, error])) }, verb)) }), page);
  model.receive({ kind: "state", state: {} });
  await page.settle();
  for (const button of el.querySelectorAll("button")) button.dispatchEvent(new Event("click"));
  model.end("one");
  model.end("two", "it failed");
  model.disconnect();

  assert.deepEqual(ends.slice(0, 2), [["one", null], ["two", "it failed"]]);
  assert.equal(ends[2][0], "three");
  assert.match(ends[2][1], /kernel was restarted or has ended/);
});

test("only a key that was accepted is called taken", async (t) => {
  const { page, model, el, press } = await running(t, [card({ state: "error", error: "no key", key: "openai" })]);
  const sendKey = async () => {
    press("Set the key of openai");
    await page.settle();
    const [form] = el.querySelectorAll("form");
    form.elements = { key: { value: "sk-canary" } };
    form.dispatchEvent(new Event("submit"));
    await page.settle();
  };
  await sendKey();
  const checking = el.textContent;
  model.end("key", "the key cannot be used");
  await page.settle();
  const rejected = el.textContent;
  await sendKey();
  model.end("key");
  await page.settle();

  assert.match(checking, /checking the key/);
  assert.doesNotMatch(checking, /was taken/);
  assert.match(rejected, /the key cannot be used/);
  assert.doesNotMatch(rejected, /was taken|checking/);
  assert.match(el.textContent, /The key of openai was taken. Run again to ask./);
});

test("a cut answer is copied whole as soon as the rest has come", async (t) => {
  const { page, model, el, press } = await running(t, [card({ text: "first", cut: 4 })]);
  press("Copy");
  await page.settle();
  const waiting = el.textContent;
  model.receive({ kind: "grow", answers: [{ row: 0, card: card({ text: "first and last" }) }] });
  model.end("whole");
  await page.settle();

  assert.match(waiting, /Copying …/);
  assert.deepEqual(page.copied, ["first and last"]);
  assert.match(el.textContent, /✓ Copied/);
});

test("if the rest of an answer does not come, its card says that nothing was copied", async (t) => {
  const { page, model, el, press, buttons } = await running(t, [card({ text: "first", cut: 4 })]);
  press("Copy");
  model.end("whole", "it failed");
  await page.settle();

  assert.equal(buttons("Copy").length, 1);
  assert.match(el.textContent, /Not copied: the rest of the answer did not come/);
  assert.deepEqual(page.copied, []);
});

test("without its kernel the copy of a cut answer says how much was copied", async (t) => {
  const { page, model, el, press } = await running(t, [card({ text: "x".repeat(20_000), cut: 4 })]);
  press("Copy");
  model.disconnect();
  await page.settle();
  const lost = el.textContent;
  press("Copy");
  await page.settle();

  assert.match(lost, /Not copied: the rest of the answer did not come/);
  assert.match(el.textContent, /Copied the first 20,000 characters; the kernel has ended\./);
  assert.doesNotMatch(el.textContent, /✓ Copied/);
  assert.deepEqual(page.copied.map((text) => text.length), [20_000]);
});

test("the form is copied in the click itself if the kernel has seen all that was typed", async (t) => {
  const { page, advise, buttons, press, el } = await comparing(t);
  buttons("Copy as %%compare")[0].dispatchEvent(new Event("pointerenter"));
  await advise();
  press("Copy as %%compare");
  const during = [...page.copied];
  await page.settle();

  assert.deepEqual(during, ["%%compare a\nWhy?"]);
  assert.match(el.textContent, /✓ copied; paste it into a cell/);
});

test("the code of an older form is never copied", async (t) => {
  const { page, advise, press, model, el, tell } = await comparing(t);
  press("Copy as %%compare");
  await page.settle();
  const waiting = el.textContent;
  await advise();
  const asked = model.asked("typed").length;
  await tell({ selection: ["b"], typed: model.asked("typed").at(-1).words.serial });
  press("Copy as %%compare");
  const picked = [...page.copied];
  await page.settle();
  await advise({ selection: ["b"], code: { magic: "%%compare a b\nWhy?" } });

  assert.match(waiting, /waiting for the kernel/);
  assert.equal(asked, 1);
  assert.deepEqual(picked, ["%%compare a\nWhy?"]);
  assert.deepEqual(page.copied, ["%%compare a\nWhy?", "%%compare a b\nWhy?"]);
});

test("after the kernel has ended the form is still copied, unless more was typed", async (t) => {
  const { page, advise, press, model, buttons, el } = await comparing(t);
  buttons("Copy as %%compare")[0].dispatchEvent(new Event("focus"));
  await advise();
  model.disconnect();
  await page.settle();
  press("Copy as %%compare");
  await page.settle();

  assert.deepEqual(page.copied, ["%%compare a\nWhy?"]);
  assert.equal(buttons("Copy as %%compare")[0].getAttribute("aria-disabled"), null);
  assert.match(el.textContent, /✓ copied/);
});

test("a clipboard that refuses is said, and the next press copies", async (t) => {
  const { page, press, el, buttons, advise } = await comparing(t);
  buttons("Copy as %%compare")[0].dispatchEvent(new Event("focus"));
  await advise();
  page.clipboard.works = false;
  press("Copy as %%compare");
  await page.settle();
  const refused = el.textContent;
  page.clipboard.works = true;
  press("Copy as %%compare");
  await page.settle();

  assert.match(refused, /✗ the browser refused to copy; press the button again/);
  assert.deepEqual(page.copied, ["%%compare a\nWhy?"]);
});

test("Run replaces what was about to be sent, so that its refusal stays on the page", async (t) => {
  const { page, press, model, el } = await comparing(t);
  const [prompt] = el.querySelectorAll("textarea");
  prompt.value = "How?";
  prompt.dispatchEvent(new Event("input"));
  press("▸ Run");
  await page.settle(5_000);

  assert.equal(model.asked("run").at(-1).words.form.prompt, "How?");
  assert.equal(model.asked("typed").length, 0);
});

test("blanks around a search change neither what is found nor what is marked", async (t) => {
  const cards = Array.from({ length: 9 }, (_, i) => card({ text: i === 4 ? "in the needle stack" : "hay" }));
  const { page, el } = await running(t, cards);
  const [search] = el.querySelectorAll("input.lk-search");
  search.value = " needle ";
  search.dispatchEvent(new Event("input"));
  await page.settle();

  assert.deepEqual(el.querySelectorAll("mark").map((mark) => mark.textContent), ["needle"]);
  assert.match(el.textContent, /1 of 9 shown/);
});

test("only a block of code has a button that copies it", async (t) => {
  const blocks = ['<pre class="lk-code">print(1)</pre>', '<pre class="lk-raw">plain words</pre>'];
  const { page, model, el } = await running(t, [card({ text: "a" })], { markdown: true });
  model.receive({ kind: "grow", answers: [{ row: 0, keep: 0, blocks }] });
  await page.settle();
  const copies = el.querySelectorAll("button.lk-copy-code");
  copies[0].dispatchEvent(new Event("click"));
  await page.settle();

  assert.equal(copies.length, 1);
  assert.deepEqual(page.copied, ["print(1)"]);
});

test("Markdown is asked for the answers opened last, in the views that are still on the page", async (t) => {
  const cards = Array.from({ length: 40 }, (_, i) => card({ text: `answer ${i}` }));
  const { page, model, el, show, hide } = await running(t, cards, { markdown: true });
  const cells = (root) => root.querySelectorAll("button.lk-cell");
  const openCells = async (root, rows) => {
    for (const row of rows) cells(root)[row].dispatchEvent(new Event("click"));
    await page.settle();
  };
  const rendered = () => model.asked("render").at(-1).words.rows;
  const from = (first, count) => Array.from({ length: count }, (_, i) => first + i);
  await openCells(el, from(16, 24));
  const all = rendered();
  await openCells(el, [2]);
  const last = rendered();
  const other = show();
  await page.settle();
  await openCells(other.el, [0, 1]);
  const both = rendered();
  const asked = model.asked("render").length;
  await page.settle(5_000);
  hide();
  await openCells(other.el, [3]);

  assert.deepEqual(all, from(16, 24));
  assert.deepEqual(last, [2, ...from(17, 23)]);
  assert.deepEqual(both, [0, 1, 2, ...from(19, 21)]);
  assert.equal(model.asked("render").length, asked + 1);
  assert.deepEqual(rendered(), [0, 1, 3]);
});

test("a press on why or reasoning opens it in a card that is finished", async (t) => {
  const refused = card({ state: "error", tone: "bad", error: "Refused.", why: "Because." });
  const { page, el, press } = await running(t, [refused, card({ text: "x", reasoning: "Let me think." })]);
  const before = el.textContent;
  press("▸ why");
  press("▸ reasoning");
  await page.settle();
  const open = el.textContent;
  press("▾ why");
  press("▾ reasoning");
  await page.settle();

  assert.doesNotMatch(before, /Because|Let me think/);
  assert.match(open, /Because.*Let me think/s);
  assert.doesNotMatch(el.textContent, /Because|Let me think/);
});

test("a second run in the compare panel begins with nothing chosen", async (t) => {
  const { page, tell, el, press, model } = await comparing(t);
  const grown = (cards, id) => {
    const [{ state }, message] = run(cards, { id });
    return [state, message];
  };
  for (const count of [5, 3]) {
    const [state, message] = grown(Array.from({ length: count }, (_, i) => card({ text: `answer ${i} of ${count}` })), count);
    await tell({ run: state });
    model.receive(message);
    await page.settle();
    if (count === 5) press("Compare", 4);
    await page.settle();
  }

  assert.match(el.textContent, /answer 2 of 3/);
  assert.doesNotMatch(el.textContent, /of 5|Compare: 1/);
});

test("a screen reader hears what happened, and no seconds", async (t) => {
  const head = "1 of 2 answers · $0.12 · about 2 min left";
  const { page, el } = await running(t, [card({ text: "a" }), card({ state: "writing" })], { left: 1, head, stopping: true, elapsed_s: 3 });
  const [line] = el.querySelectorAll("p.lk-head");
  const [status, times] = line.childNodes;
  const before = status.textContent;
  await page.settle(3_000);

  assert.equal(status.getAttribute("role"), "status");
  assert.deepEqual([before, status.textContent], Array(2).fill("1 of 2 answers · $0.12 · stopping"));
  assert.match(times.textContent, /^ · about 2 min left · [67] s$/);
  assert.equal(times.getAttribute("role"), null);
  assert.equal(line.getAttribute("role"), null);
});
