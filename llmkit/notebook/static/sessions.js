// The sessions panel: open and leaked sessions, and buttons that close sessions.
import { h } from "./tree.js";
import { button, panel } from "./base.js";
import { tableTree } from "./table.js";

export function paint(state, view) {
  const closable = new Set(state.closable);
  return [
    h("div", { class: "lk-bar", role: "group", "aria-label": "close sessions" },
      button(view, `Close stale (${state.stale})`, "close", { what: "stale" }),
      button(view, `Close all (${state.closable.length})`, "close", { what: "all" })),
    tableTree(state.sessions, {
      actions: (line) => closable.has(line.id)
        ? button(view, "Close", "close", { what: line.id }, { "aria-label": `Close ${line.id}` })
        : null,
    }),
    tableTree(state.leaks),
  ];
}

export default panel({ paint });
