// The base of every panel's script: the greeting, the state, and actions that are never lost.
//
//   import { h } from "./tree.js";
//   import { button, panel } from "./base.js";
//   export default panel({ paint: (state, view) => [h("p", {}, state.words)] });
//
// `paint(state, view)` is pure and returns the trees for a state. `reduce(state, message)` is
// optional and returns the state after a panel-specific message. `keep(old, next)` is optional and
// returns the state after a whole new one has come. `view.act(verb, words, secret, ended)` requests
// an action from the kernel; `view.waits(verb, words)` returns true while it is pending. Then
// `ended(error)` is called, which is optional; *error* is null if the action succeeded.
// `view.local` holds the local state of a view (a filter, a fold): change it, then call
// `view.repaint()`. `view.views()` returns the views of the widget that are on the page, and
// `view.common` is shared by them. `view.id` is the prefix of the ids of its elements. `view.age()` returns the seconds since the last state or progress came. While
// `ticks(state)` is true, which is optional, the view repaints every second, also if the kernel is
// busy. `view.gone()` returns true after the kernel has ended: then no action is sent. Buttons with
// `data-local` still work, because what they do happens in the page alone.
import { h, patch } from "./tree.js";

const AGAIN_MS = [700, 1700]; // within the time that the kernel waits for a greeting
const TICK_MS = 1000;
const WATCH_MS = 2_000;
const SILENT = 3; // looks at an idle kernel that does not answer a new widget
const ENDED = new Set(["restarting", "autorestarting", "terminating", "dead"]);
const FOCUSABLE = "button, input, select, textarea, summary, [tabindex]";
const GONE =
  "The kernel was restarted or has ended. Run this cell again; what stands here is what had come.";

/** Returns the state after *message*, or the same state if the message does not concern it. */
export function reduced(state, message, reduce, keep = (old, next) => next) {
  if (message.kind === "state") return keep(state, message.state);
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
export function panel({ paint, reduce, keep, local = () => ({}), ticks = () => false }) {
  return () => {
    const front = {
      state: null, since: 0, waiting: new Map(), failed: null, views: new Set(), common: {},
      ticks, gone: false,
    };
    return {
      initialize({ model }) {
        model.on("msg:custom", (message) => heard(front, message, reduce, keep));
        model.on("comm_live_update", () => lose(front)); // it comes when the kernel restarts
        const unwatch = watchKernel(front, model);
        // The kernel learns that scripts run here, even if the view appears late.
        try {
          model.send({ view: null, n: Math.random().toString(36).slice(2), kind: "hello" });
        } catch {
          front.gone = true;
        }
        // Called when the model is closed, which happens whenever its cell runs again.
        return () => {
          unwatch();
          front.views.clear();
          front.waiting.clear();
          front.state = null; // the answers of a run can take many megabytes
        };
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

function heard(front, message, reduce, keep) {
  front.gone = false; // only a kernel sends messages
  if (message.kind === "done") {
    const error = message.error ?? null;
    for (const [key, { n, ended }] of front.waiting) {
      if (n !== message.n) continue;
      front.waiting.delete(key);
      ended?.(error);
    }
    front.failed = error;
  } else {
    front.state = reduced(front.state, message, reduce, keep);
    if (message.kind === "state" || message.elapsed_s !== undefined) front.since = Date.now();
  }
  for (const view of front.views) view.repaint();
}

/**
 * Notices the end of the kernel where the widget manager tells which kernel it has, as that of
 * JupyterLab does. It sends no event if the kernel is shut down or dies. Elsewhere only the next
 * action shows that the kernel is gone. A widget that was restored from the state in a file has a
 * kernel that does not know it. Returns the function that ends the watch.
 */
function watchKernel(front, model) {
  let known = null;
  let timer = null;
  let silent = 0;
  const check = () => {
    const kernel = model.widget_manager?.kernel;
    if (kernel && !known) {
      known = kernel;
      kernel.statusChanged?.connect?.(check);
    } else if (known && (kernel?.id !== known.id || known.isDisposed || ENDED.has(known.status))) {
      lose(front);
    }
    return !front.gone;
  };
  const watch = () => {
    const isSilent = front.state === null && front.views.size > 0 && known?.status === "idle";
    silent = isSilent ? silent + 1 : 0;
    if (silent > SILENT) lose(front);
    // A kernel that answers late is watched from then on.
    timer = check() || front.state === null ? setTimeout(watch, WATCH_MS) : null;
  };
  watch();
  return () => {
    clearTimeout(timer);
    known?.statusChanged?.disconnect?.(check);
  };
}

function lose(front) {
  if (front.gone) return;
  front.gone = true;
  const actions = [...front.waiting.values()];
  front.waiting.clear();
  for (const { ended } of actions) ended?.(GONE);
  for (const view of front.views) view.repaint();
}

function viewOf(front, model, el, paint, local) {
  const me = Math.random().toString(36).slice(2);
  const root = el.appendChild(document.createElement("div"));
  // Formulas are typeset by the kernel's HTML alone: a price in dollars is no formula.
  root.className = "lk lk-panel mathjax_ignore tex2jax_ignore";
  let sent = 0;
  const view = {
    id: `lk-${me}`,
    local,
    root,
    common: front.common,
    send(message) {
      sent += 1;
      try {
        model.send({ view: me, n: `${me}-${sent}`, ...message });
      } catch {
        lose(front); // the connection to the kernel is closed
      }
      return `${me}-${sent}`;
    },
    // *secret* has arguments that only the kernel receives: they are not part of the action's key.
    act(verb, words = {}, secret = {}, ended = null) {
      if (front.gone) return;
      front.failed = null;
      const n = view.send({ kind: "do", verb, words: { ...words, ...secret } });
      if (front.gone) ended?.(GONE);
      else front.waiting.set(actionKey(verb, words), { n, ended });
      for (const other of front.views) other.repaint();
    },
    waits: (verb, words = {}) => front.waiting.has(actionKey(verb, words)),
    views: () => [...front.views],
    gone: () => front.gone,
    age: () => (Date.now() - front.since) / 1000,
    repaint: painter(front, root, paint, () => view),
  };
  root.addEventListener("click", (event) => front.gone && stopAction(event), true);
  return view;
}

/** Stops a click on a button that needs the kernel, after the kernel has ended. */
function stopAction(event) {
  if (!event.target.closest?.("button") || event.target.closest("[data-local]")) return;
  event.stopPropagation();
  event.preventDefault();
}

/** Returns the function that plans a repaint of a view. */
function painter(front, root, paint, view) {
  let planned = false;
  let ticking = false;
  let pressed = false;
  // A click is lost if the page changes below the pointer between pressing and releasing.
  root.addEventListener("pointerdown", () => {
    pressed = true;
    const end = new AbortController();
    const release = () => { end.abort(); pressed = false; repaint(); };
    for (const kind of ["pointerup", "pointercancel"]) addEventListener(kind, release, { signal: end.signal });
  });
  function now() {
    planned = false;
    if (pressed || !front.views.has(view())) return; // the end of the press repaints
    // A widget restored from a file without its kernel must not hide the static output.
    root.classList.toggle("lk-live", front.state !== null);
    root.classList.toggle("lk-gone", front.gone);
    keepingFocus(root, () => patch(root, trees(front, paint, view())));
    if (front.gone) {
      for (const button of root.querySelectorAll("button:not([data-local])")) button.setAttribute("aria-disabled", "true");
    }
    if (front.state !== null && front.ticks(front.state) && !front.gone && !ticking) {
      ticking = true;
      setTimeout(() => {
        ticking = false;
        if (front.views.has(view())) repaint();
      }, TICK_MS);
    }
  }
  function repaint() {
    if (planned) return;
    planned = true;
    setTimeout(now, 0);
  }
  return repaint;
}

function trees(front, paint, view) {
  const waiting = front.state === null && !front.gone;
  return [
    // Always there, so that what follows keeps its place and with it the typed text.
    h("div", { key: "kernel" }, front.gone ? h("p", { class: "lk-bad", role: "alert" }, GONE) : null),
    ...(waiting ? [h("p", { class: "lk-note", role: "status" }, "waiting for the kernel …")] : []),
    ...(front.state === null ? [] : paint(front.state, view)),
    ...(front.failed ? [h("p", { class: "lk-bad", role: "alert", key: "failed" }, `✗ ${front.failed}`)] : []),
  ];
}

/** Changes the page; if the focused element disappears, the focus moves to what is next to it. */
function keepingFocus(root, change) {
  const focused = root.contains(document.activeElement) ? document.activeElement : null;
  const around = [];
  for (let node = focused?.parentElement; node && node !== root; node = node.parentElement) around.push(node);
  change();
  if (!focused || document.activeElement === focused || (document.activeElement && document.activeElement !== document.body)) return;
  const place = around.find((node) => node.isConnected) ?? root;
  let target = focused.isConnected ? focused : place.querySelector(FOCUSABLE);
  if (!target) {
    place.tabIndex = -1;
    target = place;
  }
  target.focus({ preventScroll: true });
}
