// The models panel: a table with filters, and an explanation of one name.
import { h } from "./tree.js";
import { button, panel } from "./base.js";
import { copyText } from "./clipboard.js";
import { tableTree } from "./table.js";

/**
 * Returns the names that match every word of *filter* and have all of *chips* as tags.
 *
 * The name and its class are searched first. The ids at all providers are searched only if nothing
 * matches, because nearly every name has a peer whose id contains gemini.
 */
export function picked(state, filter, chips) {
  const asked = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const names = Object.keys(state.words).filter((name) =>
    [...chips].every((chip) => state.tags[name].includes(chip)));
  for (const level of [0, 1]) {
    const found = names.filter((name) =>
      asked.every((word) => state.words[name][level].includes(word)));
    if (found.length) return new Set(found);
  }
  return new Set();
}

export function paint(state, view) {
  const local = view.local;
  local.filter ??= state.filter;
  const names = picked(state, local.filter, local.chips);
  return [
    h("div", { class: "lk-bar" },
      h("label", {}, "Filter ",
        h("input", { type: "search", value: local.filter, size: 24, spellcheck: "false",
          input: (event) => { local.filter = event.target.value; view.repaint(); } })),
      h("span", { class: "lk-chips", role: "group", "aria-label": "only models with" },
        state.chips.map((chip) => chipTree(chip, view))),
      h("span", { class: "lk-note", role: "status" },
        `${names.size} of ${state.models.lines.length} names`)),
    tableTree(state.models, {
      wanted: (line) => names.has(line.id),
      first: (line, cell) => nameTree(line.id, cell[0], view),
      below: (line) => (local.open === line.id ? detailTree(state, line.id, view) : null),
    }),
  ];
}

function chipTree(chip, view) {
  const { chips } = view.local;
  const pressed = chips.has(chip);
  return h("button", {
    type: "button", class: "lk-chip", "aria-pressed": String(pressed),
    click: () => { pressed ? chips.delete(chip) : chips.add(chip); view.repaint(); },
  }, pressed ? "✓ " : "", chip.replace("_", " "));
}

function nameTree(name, text, view) {
  const open = view.local.open === name;
  return h("button", {
    type: "button", class: "lk-name", "aria-expanded": String(open),
    click: () => {
      view.local.open = open ? null : name;
      view.local.copied = null;
      if (!open) view.act("explain", { name });
      view.repaint();
    },
  }, open ? "▾ " : "▸ ", text);
}

function detailTree(state, name, view) {
  const told = state.told[name];
  const tables = told
    ? told.map((table, i) => tableTree(table, i ? {} : { actions: (line) => todayTrees(state, line, view) }))
    : [h("p", { class: "lk-note", role: "status" }, "asking the catalogue …")];
  return h("div", { class: "lk-detail" },
    h("div", { class: "lk-bar" },
      copyButton(name, view), pickButton(name, view),
      h("span", { class: "lk-note", role: "status" }, view.local.copied ?? "")),
    tables);
}

/** Returns the buttons for the id that can be called at one provider today. */
function todayTrees(state, line, view) {
  const today = state.today[line.id];
  if (!today) return [];
  const place = `${line.id}:${today}`;
  return [copyButton(place, view, "Copy"), pickButton(place, view, "Compare")];
}

function copyButton(text, view, label = `Copy ${text}`) {
  const copy = async () => {
    const done = await copyText(text, view.root);
    view.local.copied = done ? `✓ copied ${text}` : `✗ the browser refused to copy ${text}`;
    view.repaint();
  };
  return h("button", { type: "button", "aria-label": `Copy ${text}`, click: copy }, label);
}

function pickButton(model, view, label = "Compare it") {
  return button(view, label, "pick", { model }, { "aria-label": `Compare ${model}` });
}

export default panel({
  paint,
  local: () => ({ filter: null, chips: new Set(), open: null, copied: null }),
});
