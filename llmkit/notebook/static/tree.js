// Virtual DOM: trees of plain values, and the function that applies them to the page.
//
// A panel returns the wanted tree; `patch` changes only what differs, so that focus, typed text,
// open folds, checks and scroll positions are kept. Text is always set as text: nothing that a
// model wrote can become markup.
//
// Attributes with a meaning of their own: `key` keeps a node when its siblings change; `same`
// skips a node whose value of `same` did not change; `hold` leaves the children of a focused node
// alone; `markup` is sanitised HTML; `after` is called with the node once everything is patched.
import { copyText } from "./clipboard.js";

const OWN = new Set(["key", "same", "hold", "after", "query", "copies"]);
const USERS = new Set(["open", "checked"]); // the user changes these

/** Returns a tree node: a tag, its attributes (functions are listeners) and its children. */
export function h(tag, attributes = {}, ...children) {
  const kept = children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false);
  return { tag, attributes, children: kept.map((c) => (typeof c === "object" ? c : String(c))) };
}

/** Returns all text of a tree. */
export function textOf(tree) {
  return typeof tree === "string" ? tree : tree.children.map(textOf).join("");
}

/** Makes the children of *parent* match *trees*, then calls the functions `after`. */
export function patch(parent, trees) {
  const later = [];
  patchChildren(parent, trees, later);
  for (const call of later) call();
}

function patchChildren(parent, trees, later) {
  const old = [...parent.childNodes];
  const keyed = new Map(old.filter((n) => n.lkKey !== undefined).map((n) => [n.lkKey, n]));
  let next = 0;
  trees.forEach((tree) => {
    const key = typeof tree === "string" ? undefined : tree.attributes.key;
    let node = key === undefined ? old[next] : keyed.get(key);
    if (!fits(node, tree) || (key === undefined && node.lkKey !== undefined)) node = made(tree);
    const place = parent.childNodes[next] ?? null;
    // Moving the node in the way keeps the wanted node where it is, and with it focus and scroll.
    if (place && place !== node && place.nextSibling === node) parent.appendChild(place);
    else if (place !== node) parent.insertBefore(node, place);
    update(node, tree, later);
    next += 1;
  });
  while (parent.childNodes.length > trees.length) parent.lastChild.remove();
}

function fits(node, tree) {
  if (!node) return false;
  if (typeof tree === "string") return node.nodeType === Node.TEXT_NODE;
  return node.nodeType === Node.ELEMENT_NODE && node.localName === tree.tag;
}

function made(tree) {
  if (typeof tree === "string") return document.createTextNode("");
  const node = document.createElement(tree.tag);
  node.lkKey = tree.attributes.key;
  node.lkHeard = {};
  return node;
}

function update(node, tree, later) {
  if (typeof tree === "string") {
    setText(node, tree);
    return;
  }
  const wanted = tree.attributes;
  if (wanted.same !== undefined && node.lkSame === wanted.same) return;
  node.lkSame = wanted.same;
  for (const { name } of [...node.attributes]) {
    if (!(name in wanted) && !USERS.has(name)) node.removeAttribute(name);
  }
  for (const [name, value] of Object.entries(wanted)) {
    if (!OWN.has(name) && name !== "value") setAttribute(node, name, value);
  }
  if ("markup" in wanted) setMarkup(node, wanted);
  else if (!wanted.hold || node !== document.activeElement) patchChildren(node, tree.children, later);
  if ("value" in wanted) setValue(node, wanted.value); // after the options of a select
  if (wanted.after) later.push(() => wanted.after(node));
}

/** Sets the text of a text node; appends if the text only grew. */
function setText(node, text) {
  if (node.data === text) return;
  if (node.data && text.startsWith(node.data)) node.appendData(text.slice(node.data.length));
  else node.data = text;
}

function setAttribute(node, name, value) {
  if (name === "markup") return;
  if (typeof value === "function") listen(node, name, value);
  else if (USERS.has(name)) setState(node, name, Boolean(value));
  else if (value === false || value === null || value === undefined) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value === true ? "" : value);
}

/** Sets markup that the kernel has sanitised; this is the only place that sets HTML. */
function setMarkup(node, { markup, query = "", copies = false }) {
  const wanted = `${query}\n${copies}\n${markup}`;
  if (node.lkMarkup === wanted) return;
  node.lkMarkup = wanted;
  node.innerHTML = markup;
  if (query) markWords(node, query);
  if (copies) for (const pre of node.querySelectorAll("pre.lk-code")) addCopy(pre);
}

/** Returns *text* as strings and <mark> trees, with every occurrence of *query* marked. */
export function marked(text, query) {
  if (!query) return [text];
  return text.split(finder(query, "giu")).map((piece, i) => (i % 2 ? h("mark", {}, piece) : piece)).filter((piece) => piece !== "");
}

/** Returns a regular expression that finds *query* as it is, in any case, as one group. */
export function finder(query, flags = "iu") {
  return new RegExp(`(${query.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")})`, flags);
}

function markWords(node, query) {
  const walker = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
  const found = [];
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    if (finder(query).test(text.data)) found.push(text);
  }
  for (const text of found) {
    text.replaceWith(...marked(text.data, query).map((piece) => {
      if (typeof piece === "string") return piece;
      const mark = document.createElement("mark");
      mark.textContent = textOf(piece);
      return mark;
    }));
  }
}

/** Puts a button before a block of code that copies it. */
function addCopy(pre) {
  const text = pre.textContent;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "lk-copy-code";
  button.dataset.local = "";
  button.textContent = "Copy";
  button.setAttribute("aria-label", "Copy this code");
  button.addEventListener("click", async () => {
    button.textContent = (await copyText(text, pre.parentElement)) ? "✓ Copied" : "✗ Not copied";
  });
  pre.before(button);
}

function listen(node, name, listener) {
  if (!(name in node.lkHeard)) node.addEventListener(name, (event) => node.lkHeard[name](event));
  node.lkHeard[name] = listener;
}

/** Sets `open` or `checked` if the tree's value changed; otherwise the user's choice stays. */
function setState(node, name, value) {
  node.lkStates ??= {};
  if (node.lkStates[name] === value) return;
  node.lkStates[name] = value;
  if (node[name] !== value) node[name] = value;
}

/** Sets a value if the tree's value changed; otherwise the text typed by the user stays. */
function setValue(node, value) {
  if (node.lkValue === value) return;
  node.lkValue = value;
  if (node.value !== String(value)) node.value = value;
}
