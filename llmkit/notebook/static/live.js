// The answers of one run, in the output of the cell that runs it.
import { panel } from "./base.js";
import { answers, controls, differences, fresh, grown, kept } from "./answers.js";

export default panel({
  local: fresh,
  reduce: grown,
  keep: kept,
  ticks: (state) => state.left > 0,
  paint: (state, view) => [
    controls(state, view),
    ...differences(state.differences, view),
    ...answers(state, view),
  ],
});
