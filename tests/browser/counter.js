// The smallest possible panel, which tests the base of all panels.
import { h } from "./tree.js";
import { button, panel } from "./base.js";

export default panel({
  paint: (state, view) => [
    h("p", { class: "count" }, `counted ${state.count} on ${state.thread}`),
    h("div", { class: "lk-bar" },
      button(view, "Count", "count", { by: 1 }),
      button(view, "Fail", "fail"),
      h("label", {}, "note ", h("input", { type: "text" }))),
  ],
});
