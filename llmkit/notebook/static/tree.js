// Virtual DOM: trees of plain values, and the function that applies them to the page.
//
// A panel returns the wanted tree; `patch` changes only what differs, so that focus, typed text,
// open folds and scroll positions are kept. Text is always set as text: nothing that a model wrote
// can become markup.

/** Returns a tree node: a tag, its attributes (functions are listeners) and its children. */
export function h(tag, attributes = {}, ...children) {
  const kept = children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false);
  return { tag, attributes, children: kept.map((c) => (typeof c === "object" ? c : String(c))) };
}

/** Returns all text of a tree. */
export function textOf(tree) {
  return typeof tree === "string" ? tree : tree.children.map(textOf).join("");
}

/** Makes the children of *parent* match *trees*. */
export function patch(parent, trees) {
  const old = [...parent.childNodes];
  const keyed = new Map(old.filter((n) => n.lkKey !== undefined).map((n) => [n.lkKey, n]));
  let next = 0;
  trees.forEach((tree) => {
    const key = typeof tree === "string" ? undefined : tree.attributes.key;
    let node = key === undefined ? old[next] : keyed.get(key);
    if (!fits(node, tree) || (key === undefined && node.lkKey !== undefined)) node = made(tree);
    const place = parent.childNodes[next] ?? null;
    if (place !== node) parent.insertBefore(node, place);
    update(node, tree);
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

function update(node, tree) {
  if (typeof tree === "string") {
    setText(node, tree);
    return;
  }
  const wanted = tree.attributes;
  for (const { name } of [...node.attributes]) if (!(name in wanted) && name !== "open") node.removeAttribute(name);
  for (const [name, value] of Object.entries(wanted)) setAttribute(node, name, value);
  if ("markup" in wanted) return;
  patch(node, tree.children);
}

/** Sets the text of a text node; appends if the text only grew. */
function setText(node, text) {
  if (node.data === text) return;
  if (node.data && text.startsWith(node.data)) node.appendData(text.slice(node.data.length));
  else node.data = text;
}

function setAttribute(node, name, value) {
  if (name === "key") return;
  if (name === "markup") setMarkup(node, value);
  else if (typeof value === "function") listen(node, name, value);
  else if (name === "value" && "value" in node) setValue(node, value);
  else if (name === "checked") node.checked = Boolean(value);
  else if (value === false || value === null || value === undefined) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value === true ? "" : value);
}

/** Sets markup that the kernel has sanitised; this is the only place that sets HTML. */
function setMarkup(node, markup) {
  if (node.lkMarkup === markup) return;
  node.lkMarkup = markup;
  node.innerHTML = markup;
}

function listen(node, name, listener) {
  if (!(name in node.lkHeard)) node.addEventListener(name, (event) => node.lkHeard[name](event));
  node.lkHeard[name] = listener;
}

/** Sets a value if the tree's value changed; otherwise the text typed by the user stays. */
function setValue(node, value) {
  if (node.lkValue === value) return;
  node.lkValue = value;
  if (node.value !== String(value)) node.value = value;
}
