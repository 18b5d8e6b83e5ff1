// The base of every panel's script: the greeting, the state, and actions that are never lost.
//
//   import { h } from "./tree.js";
//   import { button, panel } from "./base.js";
//   export default panel({ paint: (state, view) => [h("p", {}, state.words)] });
//
// `paint(state, view)` is pure and returns the trees for a state. `reduce(state, message)` is
// optional and returns the state after a panel-specific message. `view.act(verb, words)` requests
// an action from the kernel; `view.waits(verb, words)` returns true while it is pending.
// `view.local` holds the local state of a view (a filter, a fold): change it, then call
// `view.repaint()`. `view.id` is the prefix of the ids of its elements. `view.age()` returns the
// seconds since the last whole state came. While `ticks(state)` is true, which is optional, the
// view repaints every second, also if the kernel is busy.
import { h, patch } from "./tree.js";

const AGAIN_MS = [700, 1700]; // within the time that the kernel waits for a greeting
const TICK_MS = 1000;

/** Returns the state after *message*, or the same state if the message does not concern it. */
export function reduced(state, message, reduce) {
  if (message.kind === "state") return message.state;
  return state !== null && reduce ? reduce(state, message) : state;
}

/** Returns the key of an action, which is the same for a second click on the same button. */
export function actionKey(verb, words = {}) {
  return `${verb} ${JSON.stringify(Object.entries(words).sort())}`;
}

/** Returns a button that requests an action, and shows that it is queued until it is done. */
export function button(view, label, verb, words = {}, attributes = {}) {
  const waiting = view.waits(verb, words);
  // Not `disabled`, which would move the focus to the page.
  return h(
    "button",
    {
      type: "button",
      "aria-disabled": waiting ? "true" : "false",
      click: () => waiting || view.act(verb, words),
      ...attributes,
    },
    label,
    waiting ? h("span", { class: "lk-wait", role: "status" }, " … queued") : null,
  );
}

/** Returns a factory of anywidget's widget definition, called once for each model. */
export function panel({ paint, reduce, local = () => ({}), ticks = () => false }) {
  return () => {
    const front = { state: null, since: 0, waiting: new Map(), failed: null, views: new Set(), ticks };
    return {
      initialize({ model }) {
        model.on("msg:custom", (message) => heard(front, message, reduce));
      },
      render({ model, el }) {
        const view = viewOf(front, model, el, paint, local());
        front.views.add(view);
        // Otherwise a key press on a focused button would be a command of the notebook.
        for (const kind of ["keydown", "keypress", "keyup"]) {
          el.addEventListener(kind, (event) => event.stopPropagation());
        }
        const greet = () =>
          front.views.has(view) && view.send({ kind: "hello", empty: front.state === null });
        greet();
        // On ipykernel 7.0 the first message of a widget waits until the cell has run, because the
        // subshell that receives messages during a cell does not exist yet.
        for (const later of AGAIN_MS) setTimeout(greet, later);
        view.repaint();
        return () => {
          front.views.delete(view);
          view.send({ kind: "bye" });
        };
      },
    };
  };
}

function heard(front, message, reduce) {
  if (message.kind === "done") {
    for (const [key, n] of front.waiting) if (n === message.n) front.waiting.delete(key);
    front.failed = message.error ?? null;
  } else {
    front.state = reduced(front.state, message, reduce);
    if (message.kind === "state") front.since = Date.now();
  }
  for (const view of front.views) view.repaint();
}

function viewOf(front, model, el, paint, local) {
  const me = Math.random().toString(36).slice(2);
  let sent = 0;
  let planned = false;
  let ticking = false;
  const root = el.appendChild(document.createElement("div"));
  root.className = "lk lk-panel";
  const view = {
    id: `lk-${me}`,
    local,
    root,
    send(message) {
      sent += 1;
      model.send({ view: me, n: `${me}-${sent}`, ...message });
      return `${me}-${sent}`;
    },
    // *secret* has arguments that only the kernel receives: they are not part of the action's key.
    act(verb, words = {}, secret = {}) {
      front.failed = null;
      const sent = view.send({ kind: "do", verb, words: { ...words, ...secret } });
      front.waiting.set(actionKey(verb, words), sent);
      for (const other of front.views) other.repaint();
    },
    waits: (verb, words = {}) => front.waiting.has(actionKey(verb, words)),
    age: () => (Date.now() - front.since) / 1000,
    repaint() {
      if (planned) return;
      planned = true;
      setTimeout(() => {
        planned = false;
        // A widget restored from a file without its kernel must not hide the static output.
        root.classList.toggle("lk-live", front.state !== null);
        const trees =
          front.state === null
            ? [h("p", { class: "lk-note", role: "status" }, "waiting for the kernel …")]
            : paint(front.state, view);
        const failed = front.failed && h("p", { class: "lk-bad", role: "alert" }, `✗ ${front.failed}`);
        patch(root, failed ? [...trees, failed] : trees);
        if (front.state !== null && front.ticks(front.state)) tick();
      }, 0);
    },
  };
  function tick() {
    if (ticking) return;
    ticking = true;
    setTimeout(() => {
      ticking = false;
      if (front.views.has(view)) view.repaint();
    }, TICK_MS);
  }
  return view;
}
