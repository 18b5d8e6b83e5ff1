// The auth panel: the state of each API key, and a form that is cleared when its key is sent.
import { h } from "./tree.js";
import { button, panel } from "./base.js";
import { keyForm } from "./key_form.js";
import { tableTree } from "./table.js";

export function paint(state, view) {
  const takes = new Set(state.takes_key);
  const typed = new Set(state.typed);
  return [
    h("div", { class: "lk-bar" }, button(view, "Check all", "check_all")),
    tableTree(state.auth, {
      actions: (line) => [
        button(view, "Check", "check", { provider: line.id }, { "aria-label": `Check ${line.id}` }),
        takes.has(line.id) ? openButton(line.id, view) : null,
        typed.has(line.id)
          ? button(view, "Forget key", "forget", { provider: line.id },
            { "aria-label": `Forget the key of ${line.id}` })
          : null,
      ],
      below: (line) => (view.local.open === line.id ? keyForm(line.id, view, () => { view.local.open = null; }) : null),
    }),
  ];
}

function openButton(provider, view) {
  const open = view.local.open === provider;
  return h("button", {
    type: "button", "aria-expanded": String(open), "aria-label": `Enter a key for ${provider}`,
    click: () => { view.local.open = open ? null : provider; view.repaint(); },
  }, "Enter key");
}

export default panel({ paint, local: () => ({ open: null }) });
