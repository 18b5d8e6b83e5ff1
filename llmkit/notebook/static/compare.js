// The compare panel: a form that sends one prompt to many models, and the answers below it.
import { h } from "./tree.js";
import { button, panel } from "./base.js";
import { answers, controls, differences, fresh, grown } from "./answers.js";

/** Returns the local state of an empty form. */
export function blank() {
  return {
    ...fresh(), typed: "", models: [], taken: [],
    form: { prompt: "", system: "", repeats: 1, variable: "comparison", numbers: {} },
  };
}

/** Returns *models* with the names in *name* added, without duplicates. */
export function picked(models, name) {
  const names = name.split(/[\s,]+/).filter(Boolean);
  return [...new Set([...models, ...names])];
}

/** Returns the arguments of the run action, with a model name that is typed but not added. */
export function wish(local) {
  const { prompt, system, repeats, variable, numbers } = local.form;
  return { prompt, system, models: picked(local.models, local.typed), numbers,
    repeats: Number(repeats), variable };
}

/** Returns the state after a message about answers. */
export function compared(state, message) {
  return { ...state, run: state.run && grown(state.run, message) };
}

/** Adds models picked in another panel, each only once, so that the user can remove them. */
export function take(local, selection) {
  for (const name of selection.filter((pick) => !local.taken.includes(pick))) {
    local.taken.push(name);
    local.models = picked(local.models, name);
  }
}

function field(view, name, label, attributes = {}, tag = "input") {
  const form = view.local.form;
  return h("label", { class: `lk-field lk-${name}` }, h("span", {}, label),
    h(tag, { input: (event) => { form[name] = event.target.value; view.repaint(); }, value: form[name], ...attributes }));
}

function number(view, name, label) {
  const numbers = view.local.form.numbers;
  return h("label", { class: "lk-field" }, h("span", {}, label),
    h("input", { type: "text", inputmode: "decimal", placeholder: "default", value: numbers[name] ?? "",
      input: (event) => { numbers[name] = event.target.value; view.repaint(); } }));
}

function add(view) {
  view.local.models = picked(view.local.models, view.local.typed);
  view.local.typed = "";
  view.repaint();
}

function picker(state, view) {
  const { local, id } = view;
  return h("div", { class: "lk-field lk-models" },
    h("label", { for: `${id}-model` }, "models"),
    h("div", { class: "lk-bar" },
      local.models.map((name) =>
        h("span", { class: "lk-pick", key: name }, name,
          h("button", { type: "button", "aria-label": `remove ${name}`, click: () => {
            local.models = local.models.filter((other) => other !== name);
            view.repaint();
          } }, "×"))),
      h("input", { id: `${id}-model`, list: `${id}-names`, placeholder: "name or provider:id",
        key: "typed", autocomplete: "off", value: local.typed,
        input: (event) => { local.typed = event.target.value; view.repaint(); },
        keydown: (event) => { if (event.key === "Enter") add(view); } }),
      h("button", { type: "button", key: "add", click: () => add(view) }, "Add")),
    h("datalist", { id: `${id}-names` }, state.names.map((name) => h("option", { value: name }))));
}

function form(state, view) {
  return h("div", { class: "lk-form" },
    field(view, "prompt", "prompt", { rows: 3 }, "textarea"),
    field(view, "system", "system prompt", { type: "text", placeholder: "none" }),
    picker(state, view),
    h("div", { class: "lk-fields" },
      Object.entries(state.parameters).map(([name, label]) => number(view, name, label)),
      field(view, "repeats", "repeats", { type: "number", min: 1 }),
      field(view, "variable", "variable", { type: "text" })));
}

/** Returns the status of the run, shown beside the button. */
export function told(state) {
  if (state.said) return h("span", { class: "lk-bad", role: "alert" }, `✗ ${state.said}`);
  if (state.running || !state.run) return null;
  return h("span", { class: "lk-soft", role: "status" }, "in the variable ", h("code", {}, state.variable));
}

export default panel({
  local: blank,
  reduce: compared,
  ticks: (state) => (state.run?.left ?? 0) > 0,
  paint: (state, view) => {
    take(view.local, state.selection);
    const run = state.run;
    return [
      form(state, view),
      h("div", { class: "lk-bar" },
        state.running
          ? h("span", { class: "lk-soft", role: "status" }, "▸ running")
          : button(view, "▸ Run", "run", wish(view.local), { class: "lk-main" }),
        told(state)),
      ...(run ? [controls(run, view), ...differences(run.differences), ...answers(run, view)] : []),
    ];
  },
});
