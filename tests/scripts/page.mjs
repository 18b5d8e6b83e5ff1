// A page that is small enough to read: elements, a widget's model, a kernel and a clipboard.
// The tests open a panel in it as anywidget does, without a browser.
class FakeNode extends EventTarget {
  childNodes = [];
  parentNode = null;

  get lastChild() { return this.childNodes.at(-1); }
  get nextSibling() { return this.parentNode.childNodes[this.parentNode.childNodes.indexOf(this) + 1] ?? null; }
  get parentElement() { return this.parentNode; }
  get isConnected() { return this === globalThis.document.body || Boolean(this.parentNode?.isConnected); }
  get textContent() { return this.childNodes.map((node) => node.textContent).join(""); }
  appendChild(node) { return this.insertBefore(node, null); }
  insertBefore(node, place) {
    node.remove();
    this.childNodes.splice(place ? this.childNodes.indexOf(place) : this.childNodes.length, 0, node);
    node.parentNode = this;
    return node;
  }
  before(node) { this.parentNode.insertBefore(node, this); }
  remove() {
    const siblings = this.parentNode?.childNodes ?? [];
    if (this.parentNode) siblings.splice(siblings.indexOf(this), 1);
    this.parentNode = null;
  }
  contains(node) { return node === this || this.childNodes.some((child) => child.contains(node)); }
}

class FakeText extends FakeNode {
  nodeType = 3;
  data = "";

  get textContent() { return this.data; }
  appendData(text) { this.data += text; }
}

class FakeElement extends FakeNode {
  nodeType = 1;
  dataset = {};
  style = {};
  #attributes = new Map();

  constructor(name) { super(); this.localName = name; }
  get attributes() { return [...this.#attributes].map(([name, value]) => ({ name, value })); }
  get className() { return this.getAttribute("class") ?? ""; }
  set className(names) { this.setAttribute("class", names); }
  get classList() {
    return { toggle: (name, on) => {
      const others = this.className.split(" ").filter((other) => other && other !== name);
      this.className = [...others, ...(on ? [name] : [])].join(" ");
    } };
  }
  set textContent(text) {
    this.childNodes = [];
    this.appendChild(new FakeText()).data = text;
  }
  get textContent() { return super.textContent; }
  /** Takes a row of elements with text, such as `<pre class="a">text</pre><p>text</p>`. */
  set innerHTML(markup) {
    for (const [, name, names = "", text] of markup.matchAll(/<(\w+)(?: class="([^"]*)")?>([^<]*)<\/\1>/g)) {
      const node = this.appendChild(new FakeElement(name));
      node.className = names;
      node.textContent = text;
    }
  }
  getAttribute(name) { return this.#attributes.get(name) ?? null; }
  setAttribute(name, value) { this.#attributes.set(name, String(value)); }
  removeAttribute(name) { this.#attributes.delete(name); }
  /** Takes a selector such as `button`, `pre.lk-code` or `button:not([data-local])`. */
  querySelectorAll(selector) {
    const [, name, names, without] = selector.match(/^(\w*)(?:\.([\w-]+))?(?::not\(\[([\w-]+)\]\))?$/);
    const fits = (node) => (!name || node.localName === name) && (!names || node.className.split(" ").includes(names))
      && (!without || node.getAttribute(without) === null);
    return this.childNodes.filter((node) => node.nodeType === 1)
      .flatMap((node) => [...(fits(node) ? [node] : []), ...node.querySelectorAll(selector)]);
  }
  closest() { return null; }
  select() {}
  focus() {}
}

/** Replaces timers and the clock for the test *t*: they wait until the test moves the clock. */
function newClock(t) {
  const { setTimeout, clearTimeout } = globalThis;
  const dateNow = Date.now;
  const timers = new Map();
  let now = dateNow();
  let count = 0;
  globalThis.setTimeout = (call, ms = 0) => { count += 1; timers.set(count, { call, at: now + ms }); return count; };
  globalThis.clearTimeout = (number) => timers.delete(number);
  Date.now = () => now;
  t.after(() => Object.assign(globalThis, { setTimeout, clearTimeout }) && (Date.now = dateNow));
  return { tick(ms) {
    const end = now + ms;
    for (;;) {
      const [next] = [...timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at);
      if (!next) break;
      const [number, { call, at }] = next;
      timers.delete(number);
      now = at;
      call();
    }
    now = end;
  } };
}

/** Makes an empty page for the test *t*, whose clock stands still until the test moves it. */
export function newPage(t) {
  const clock = newClock(t);
  const events = new EventTarget();
  const body = new FakeElement("body");
  const copied = [];
  const clipboard = { works: true };
  globalThis.document = { createElement: (name) => new FakeElement(name), createTextNode: () => new FakeText(), body, activeElement: body, execCommand: () => false };
  globalThis.Node = { TEXT_NODE: 3, ELEMENT_NODE: 1 };
  globalThis.addEventListener = events.addEventListener.bind(events);
  const navigator = { clipboard: { writeText: async (text) => {
    if (!clipboard.works) throw new Error("not allowed");
    copied.push(text);
  } } };
  Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true });
  /** Lets the page do what it has planned, such as repaints, after *ms* on its clock. */
  const settle = async (ms = 1) => {
    clock.tick(ms);
    for (let i = 0; i < 3; i += 1) {
      await new Promise((done) => { setImmediate(done); });
      clock.tick(1);
    }
  };
  return { events, body, copied, clipboard, settle };
}

/** Returns the connection of a widget to its kernel: what the page sent, and how the kernel answers. */
export function newModel() {
  const listeners = {};
  const model = {
    sent: [], widget_manager: {},
    on: (name, listener) => { listeners[name] = listener; },
    send: (message) => { model.sent.push(message); },
    receive: (message) => listeners["msg:custom"](message),
    disconnect: () => listeners.comm_live_update(),
    /** Returns the actions with this name that the page asked for. */
    asked: (verb) => model.sent.filter((message) => message.kind === "do" && message.verb === verb),
    /** Ends the last action with this name; *error* is a sentence, or null if it succeeded. */
    end: (verb, error = null) => model.receive({ kind: "done", n: model.asked(verb).at(-1).n, error }),
  };
  return model;
}

/** Opens *definition*, which a panel's script exports, in *page* as anywidget does. */
export function open(definition, page, model = newModel()) {
  const widget = definition();
  const close = widget.initialize({ model });
  const show = () => {
    const el = page.body.appendChild(new FakeElement("div"));
    const hide = widget.render({ model, el });
    const buttons = (label) => el.querySelectorAll("button").filter((node) => node.textContent === label);
    return { el, hide, buttons, press: (label, at = 0) => buttons(label)[at].dispatchEvent(new Event("click")) };
  };
  return { model, close, show, ...show() };
}
