// What every panel's front stands on: the greeting, the state, clicks that are never lost.
//
//   import { h } from "./tree.js";
//   import { button, panel } from "./base.js";
//   export default panel({ paint: (state, view) => [h("p", {}, state.words)] });
//
// `paint(state, view)` gives the trees for a state and touches nothing. `reduce(state, message)`,
// if there is one, gives the state after a message of a panel's own kind. `view.act(verb, words)`
// asks the kernel for an action; `view.waits(verb, words)` says whether it still has to be done.
// `view.local` is for what only this view knows (a filter, a fold): change it, then call
// `view.repaint()`. `view.id` begins the ids of its elements.
import { h, patch } from "./tree.js";

const AGAIN_MS = [700, 1700]; // before the kernel gives up waiting for a greeting

/** The state after *message*; the state itself where the message is none of its. */
export function reduced(state, message, reduce) {
  if (message.kind === "state") return message.state;
  return state !== null && reduce ? reduce(state, message) : state;
}

/** What names an action, so that a second click on the same button is the same one. */
export function actionKey(verb, words = {}) {
  return `${verb} ${JSON.stringify(Object.entries(words).sort())}`;
}

/** A button that asks the kernel for something, and says so until it is done. */
export function button(view, label, verb, words = {}, attributes = {}) {
  const waiting = view.waits(verb, words);
  // Not `disabled`: that would throw the focus to the page.
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

/** The widget definition that anywidget wants, made anew for each model. */
export function panel({ paint, reduce, local = () => ({}) }) {
  return () => {
    const front = { state: null, waiting: new Map(), failed: null, views: new Set() };
    return {
      initialize({ model }) {
        model.on("msg:custom", (message) => heard(front, message, reduce));
      },
      render({ model, el }) {
        const view = viewOf(front, model, el, paint, local());
        front.views.add(view);
        // Else a letter typed on a focused button would be a command of the notebook's.
        for (const kind of ["keydown", "keypress", "keyup"]) {
          el.addEventListener(kind, (event) => event.stopPropagation());
        }
        const greet = () =>
          front.views.has(view) && view.send({ kind: "hello", empty: front.state === null });
        greet();
        // On ipykernel 7.0 the first message of a widget waits for the cell that runs: the
        // subshell that takes the others at once is still being made.
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
  }
  for (const view of front.views) view.repaint();
}

function viewOf(front, model, el, paint, local) {
  const me = Math.random().toString(36).slice(2);
  let sent = 0;
  let planned = false;
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
    // *secret* are words that only the kernel gets: they name no button and are kept nowhere.
    act(verb, words = {}, secret = {}) {
      front.failed = null;
      const sent = view.send({ kind: "do", verb, words: { ...words, ...secret } });
      front.waiting.set(actionKey(verb, words), sent);
      for (const other of front.views) other.repaint();
    },
    waits: (verb, words = {}) => front.waiting.has(actionKey(verb, words)),
    repaint() {
      if (planned) return;
      planned = true;
      setTimeout(() => {
        planned = false;
        // One that a file brought back without its kernel hides no words of the file.
        root.classList.toggle("lk-live", front.state !== null);
        const trees =
          front.state === null
            ? [h("p", { class: "lk-note", role: "status" }, "waiting for the kernel …")]
            : paint(front.state, view);
        const failed = front.failed && h("p", { class: "lk-bad", role: "alert" }, `✗ ${front.failed}`);
        patch(root, failed ? [...trees, failed] : trees);
      }, 0);
    },
  };
  return view;
}
