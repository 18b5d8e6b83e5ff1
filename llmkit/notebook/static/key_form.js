// A form that takes an API key: for the auth panel, and for an answer whose key is missing.
import { h } from "./tree.js";

/**
 * Returns the form that sends the key of *provider*. `close()` is called when the key is sent, and
 * `ended(error)` when the kernel has checked it.
 */
export function keyForm(provider, view, close, ended) {
  return h("form", {
    class: "lk-bar", autocomplete: "off", key: `key of ${provider}`,
    submit: (event) => { event.preventDefault(); send(event.target, provider, view, close, ended); },
  },
  h("label", {}, `Key for ${provider} `,
    h("input", { type: "password", name: "key", size: 32, autocomplete: "off", spellcheck: "false" })),
  h("button", { type: "submit" }, "Use it"),
  h("span", { class: "lk-note" }, "The key stays in this kernel and is never saved."));
}

/** Sends the key and clears the field; the key is never part of a state or an action's name. */
function send(form, provider, view, close, ended) {
  const box = form.elements.key;
  const key = box.value;
  box.value = "";
  if (!key) return;
  close();
  view.act("key", { provider }, { key }, ended);
}

/** Returns a button that opens the form for a missing key, and what to do after it was accepted. */
export function keyTrees(provider, place, view) {
  const local = keysOf(view);
  const isOpen = local.open === place;
  const isTaken = local.taken.has(provider) && !view.waits("key", { provider });
  const toggle = () => { local.open = isOpen ? null : place; view.repaint(); };
  const close = () => { local.open = null; };
  const ended = (error) => (error ? local.taken.delete(provider) : local.taken.add(provider));
  return [
    h("button", {
      type: "button", "data-local": "", key: "set the key", "aria-expanded": String(isOpen), click: toggle,
    }, `Set the key of ${provider}`),
    view.waits("key", { provider })
      ? h("span", { class: "lk-soft", role: "status", key: "checking" }, " checking the key …") : null,
    isTaken
      ? h("span", { class: "lk-soft", role: "status", key: "taken" }, ` The key of ${provider} was taken. Run again to ask.`)
      : null,
    isOpen ? keyForm(provider, view, close, ended) : null,
  ];
}

/** Returns a text that changes with what `keyTrees` returns. */
export function keyFlag(provider, place, view) {
  const local = keysOf(view);
  return [local.open === place, local.taken.has(provider), view.waits("key", { provider })].join();
}

function keysOf(view) {
  view.local.keys ??= { open: null, taken: new Set() };
  return view.local.keys;
}
