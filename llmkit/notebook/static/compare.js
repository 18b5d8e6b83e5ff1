// The compare panel: a form that sends one prompt to many models, and the answers below it.
import { h } from "./tree.js";
import { button, panel } from "./base.js";
import { copyText } from "./clipboard.js";
import { keyTrees } from "./key_form.js";
import { answers, controls, differences, fresh, grown, kept } from "./answers.js";

const TYPED_MS = 300; // of rest, then the kernel gets what was typed
const COPIES = { magic: "Copy as %%compare", python: "Copy as Python" };

/** Returns the local state of a view that has not taken the form from the kernel yet. */
function blank() {
  return { ...fresh(), typed: "", models: [], taken: [], form: null, serial: 0, codeKind: null, said: "" };
}

/** Returns *models* with the names in *name* added, without duplicates. */
export function picked(models, name) {
  const names = name.split(/[\s,]+/).filter(Boolean);
  return [...new Set([...models, ...names])];
}

/** Returns the form, with a model name that is typed but not added. */
function wish(local) {
  return { ...local.form, models: picked(local.models, local.typed) };
}

/** Returns the state after a message about answers. */
function compared(state, message) {
  return { ...state, run: state.run && grown(state.run, message) };
}

/** Adds models picked in another panel, each only once, so that the user can remove them. */
function take(local, selection) {
  for (const name of selection.filter((pick) => !local.taken.includes(pick))) {
    local.taken.push(name);
    local.models = picked(local.models, name);
    local.serial += 1; // the kernel has not seen this form
  }
}

/** Fills a new view with what was typed before, such as in a tab that was closed since. */
function adopt(local, form) {
  if (local.form) return;
  const { models, ...fields } = form;
  local.form = { ...fields, numbers: { ...fields.numbers } };
  local.models = picked(models, "");
}

/** Sends the form after a moment of rest, or at once; the kernel answers with advice and code. */
function tell(view, ms = TYPED_MS) {
  const { local } = view;
  clearTimeout(local.timer);
  local.serial += 1;
  const send = () => view.act("typed", { form: { ...local.form, models: local.models }, typing: local.typed,
    serial: `${view.id} ${local.serial}` });
  if (ms) local.timer = setTimeout(send, ms);
  else send();
  view.repaint();
}

function run(view) {
  const words = { form: wish(view.local) };
  clearTimeout(view.local.timer);
  if (!view.waits("run", words)) view.act("run", words);
}

/** Returns the attributes that an input has for its error, and the error below it. */
function faultOf(state, view, name) {
  const fault = state.faults[name];
  if (!fault) return [{}, null];
  const id = `${view.id}-fault-${name}`;
  return [{ "aria-invalid": "true", "aria-describedby": id },
    h("span", { id, class: "lk-bad", role: "alert", key: "fault" }, `✗ ${fault}`)];
}

function field(state, view, name, label, attributes = {}, tag = "input", values = view.local.form) {
  const [invalid, fault] = faultOf(state, view, name);
  const id = `${view.id}-${name}`;
  return h("div", { class: "lk-field", key: name }, h("label", { for: id }, label),
    h(tag, { id, input: (event) => { values[name] = event.target.value; tell(view); }, value: values[name] ?? "",
      ...attributes, ...invalid }),
    fault);
}

function add(view) {
  view.local.models = picked(view.local.models, view.local.typed);
  view.local.typed = "";
  tell(view, 0);
}

function picker(state, view) {
  const { local, id } = view;
  const [invalid, fault] = faultOf(state, view, "models");
  return h("div", { class: "lk-field lk-models", key: "models" },
    h("label", { for: `${id}-model` }, "models"),
    h("div", { class: "lk-bar" },
      local.models.map((name) =>
        h("span", { class: "lk-pick", key: `pick ${name}` }, name,
          h("button", { type: "button", "data-local": "", "aria-label": `remove ${name}`, click: () => {
            local.models = local.models.filter((other) => other !== name);
            tell(view, 0);
          } }, "×"))),
      h("input", { id: `${id}-model`, list: `${id}-names`, placeholder: "name or provider:id",
        key: "typed", autocomplete: "off", value: local.typed, ...invalid,
        input: (event) => { local.typed = event.target.value; tell(view); },
        keydown: (event) => { if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) add(view); } }),
      h("button", { type: "button", "data-local": "", key: "add", click: () => add(view) }, "Add")),
    h("datalist", { id: `${id}-names` }, state.names.map((name) => h("option", { value: name }))),
    fault);
}

function form(state, view) {
  const { numbers } = view.local.form;
  const number = { type: "text", inputmode: "decimal", placeholder: "default" };
  return h("div", { class: "lk-form", key: "form",
    keydown: (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      if (!state.running) run(view);
    } },
    field(state, view, "prompt", "prompt", { rows: 3, placeholder: "What do you want to ask?" }, "textarea"),
    field(state, view, "system", "system prompt", { type: "text", placeholder: "none" }),
    picker(state, view),
    h("div", { class: "lk-fields", key: "fields" },
      Object.entries(state.parameters).map(([name, label]) => field(state, view, name, label, number, "input", numbers)),
      field(state, view, "repeats", "repeats", { type: "number", min: 1 }),
      state.has_variables ? field(state, view, "variable", "variable", { type: "text" }) : null));
}

/** Returns the status of the run, shown beside the button. */
function told(state) {
  if (state.said) return h("span", { class: "lk-bad", role: "alert", key: "told" }, `✗ ${state.said}`);
  if (state.running || !state.run) return null;
  return h("span", { class: "lk-soft", role: "status", key: "told" },
    state.has_variables ? "answers in the variable " : "answers in ", h("code", {}, state.where));
}

/** Returns the estimate beside the button. */
function estimate(state) {
  const fault = state.faults[""];
  if (fault) return h("span", { class: "lk-bad", role: "alert", key: "estimate" }, `✗ ${fault}`);
  return state.estimate ? h("span", { class: "lk-soft lk-estimate", role: "status", key: "estimate" }, state.estimate) : null;
}

/** Returns the buttons that copy the form; browsers allow that during a click only. */
function copyButtons(state, view) {
  const { local } = view;
  // The pointer or the focus comes before the click, so that the code is there in time.
  const prepare = () => {
    if (isCurrent(state, view) || view.gone() || local.prepared === local.serial) return;
    tell(view, 0);
    local.prepared = local.serial;
  };
  const click = (kind) => () => {
    if (isCurrent(state, view)) {
      copyCode(state, view, kind);
      return;
    }
    local.codeKind = kind;
    local.said = "waiting for the kernel …";
    prepare();
    view.repaint();
  };
  return Object.entries(COPIES).map(([kind, label]) =>
    state.kinds.includes(kind)
      ? h("button", {
          type: "button", key: kind, "data-local": isCurrent(state, view) ? "" : null, pointerenter: prepare, focus: prepare,
          click: click(kind),
        }, label)
      : null);
}

/** Returns true if the kernel has seen all that was typed here, so that its code is that of the form. */
function isCurrent(state, view) {
  return state.typed === `${view.id} ${view.local.serial}`;
}

/** Copies the code that was asked for, as soon as the kernel has seen all that was typed. */
function finishCopy(state, view) {
  const { local } = view;
  if (local.codeKind && view.gone()) {
    local.codeKind = null;
    local.said = "";
  }
  if (local.codeKind && isCurrent(state, view)) copyCode(state, view, local.codeKind);
}

function copyCode(state, view, kind) {
  const { local } = view;
  local.codeKind = null;
  const code = state.code[kind];
  if (!code) {
    local.said = `✗ ${state.refusals[kind] ?? "complete the form first; then it can be copied"}`;
    view.repaint();
    return;
  }
  copyText(code, view.root).then((done) => {
    local.said = done ? "✓ copied; paste it into a cell" : "✗ the browser refused to copy; press the button again";
    view.repaint();
  });
}

/** Returns what a newcomer sees above an empty form: an example that needs no key. */
function welcome(state, view) {
  const { local } = view;
  const isEmpty = !local.form.prompt && !local.models.length && !local.typed;
  if (!state.example || !isEmpty || state.run || state.running) return null;
  const start = () => {
    local.form.prompt = state.example.prompt;
    local.models = [...state.example.models];
    local.serial += 1;
    run(view);
    view.repaint();
  };
  return h("p", { class: "lk-bar lk-welcome", key: "welcome" },
    h("button", { type: "button", key: "start", class: "lk-main", click: start }, "▸ Try an example"),
    h("span", { key: "words" }, `It asks ${state.example.models.join(" and ")}: no key is needed, nothing is billed.`));
}

export default panel({
  local: blank,
  reduce: compared,
  keep: (old, next) => ({ ...next, run: next.run && kept(old?.run ?? null, next.run) }),
  ticks: (state) => (state.run?.left ?? 0) > 0,
  paint: (state, view) => {
    adopt(view.local, state.form);
    take(view.local, state.selection);
    finishCopy(state, view);
    const shown = state.run;
    // Rows, models and pages of another run have other numbers.
    if (shown && view.local.runId !== shown.id) Object.assign(view.local, fresh(), { runId: shown.id });
    return [
      welcome(state, view),
      form(state, view),
      h("div", { class: "lk-bar", key: "run" },
        state.running
          ? h("span", { class: "lk-soft", role: "status", key: "running" }, "▸ running")
          : button(view, "▸ Run", "run", { form: wish(view.local) },
            { class: "lk-main", key: "start", click: () => run(view), title: "Ctrl+Enter or Cmd+Enter in any field", "aria-keyshortcuts": "Control+Enter Meta+Enter" }),
        estimate(state), copyButtons(state, view), told(state),
        h("span", { class: "lk-soft", role: "status", key: "copied" }, view.local.said)),
      state.notes.map((note, i) => h("p", { class: "lk-note", key: `note ${i}` }, note)),
      state.keys.map((provider) => h("div", { class: "lk-bar", key: `key ${provider}` },
        h("span", { class: "lk-soft" }, `${provider} needs a key.`), keyTrees(provider, `form ${provider}`, view))),
      ...(shown ? [controls(shown, view), ...differences(shown.differences, view), ...answers(shown, view)] : []),
    ].flat().filter(Boolean);
  },
});
