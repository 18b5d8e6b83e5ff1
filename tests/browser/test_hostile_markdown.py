"""Tests that thousands of hostile texts, rendered as Markdown, run and fetch nothing."""

from __future__ import annotations

import random

from llmkit.views.answers.markdown import MarkdownStream, markdown_html
from llmkit.views.markup import framed

from .marks import BROWSER

pytestmark = BROWSER

# What sets `hacked` or sends a request if it becomes markup; %d numbers the attempts.
ACTIVE = [
    "<script>hacked=%d</script>", "<img src=http://evil.invalid/%d onerror=hacked=%d>",
    "<svg/onload=hacked=%d>", "<svg><a xlink:href=javascript:hacked=%d><text>x</text></a></svg>",
    "<iframe srcdoc='<script>parent.hacked=%d</script>'></iframe>", "<body onload=hacked=%d>",
    "<details open ontoggle=hacked=%d>x</details>", "<input autofocus onfocus=hacked=%d>",
    "<math href=javascript:hacked=%d>x</math>", "<link rel=stylesheet href=http://evil.invalid/%d>",
    "<style>@import 'http://evil.invalid/%d';</style>", "<base href=http://evil.invalid/%d/>",
    "<meta http-equiv=refresh content='0;url=http://evil.invalid/%d'>",
    "<form action=javascript:hacked=%d>", "<object data=http://evil.invalid/%d></object>",
    "<video poster=http://evil.invalid/%d></video>",
    "<annotation-xml encoding='text/html'><script>hacked=%d</script></annotation-xml>",
    "<mglyph><style><!--</style><img title='--><img src=x onerror=hacked=%d>'>",
    "<template><script>hacked=%d</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=hacked=%d>'>",
    '" onmouseover="hacked=%d" x="', "' autofocus onfocus='hacked=%d", "javascript:hacked=%d",
    "JaVaScRiPt:hacked=%d", "java&#115;cript:hacked=%d", "javascript&colon;hacked=%d",
    "\\u006aavascript:hacked=%d", "\x01javascript:hacked=%d",
    "data:text/html,<script>hacked=%d</script>", "vbscript:hacked=%d", "//evil.invalid/%d",
    "/api/kernels/%d", "http://evil.invalid/%d", "https://evil.invalid/%d?x=%22onload=hacked",
    "&lt;script&gt;hacked=%d&lt;/script&gt;", "&#60;script&#62;hacked=%d&#60;/script&#62;",
    r"\href{javascript:hacked=%d}{x}", r"\style{background:url(http://evil.invalid/%d)}{x}",
    r"\text{<img src=x onerror=hacked=%d>}", r"\class{x\" onload=\"hacked=%d}{y}",
    r"\require{html}\cssId{a}{%d}", r"\color{red;background:url(http://evil.invalid/%d)}{x}",
    r"\begin{x\"onload=hacked=%d}", r"\unicode{60}script%d",
]  # fmt: skip
FORMS = [
    "{}", "# {}", "- {}", "> {}", "**{}**", "`{}`", "[x]({})", "[x](<{}>)", '[x](http://a "{}")',
    "![x]({})", "<{}>", "[{}](http://a)", "[x]\n\n[x]: {}", "[x]: http://a '{}'\n\n[x]",
    "```{}\ncode\n```", "```\n{}\n```", "~~~ {}\nx", "```html\n{}\n```", "```js\n{}\n```", "$ {} $",
    "${}$", "$$\n{}\n$$", r"\({}\)", "\\[\n{}\n\\]", "| a | {} |\n|---|---|\n| {} | x |", "    {}",
    "1. {}", "~~{}~~", "x\n{}\n===", "<!-- {} -->", "<![CDATA[{}]]>", "\\{}", "&{};", "*a{}_b",
    "[x][{}]", "{}\n---|---\n{}", "<a href='{}'>x</a>", "<http://a/{}>",
]  # fmt: skip
ALLOWED = {
    "h5", "h6", "p", "strong", "em", "s", "code", "pre", "table", "thead", "tbody", "tr", "th",
    "td", "ul", "ol", "li", "a", "div", "span", "blockquote", "hr", "br", "math", "semantics",
    "annotation", "mrow", "mi", "mo", "mn", "mtext", "mspace", "mfrac", "msqrt", "mroot", "msub",
    "msup", "msubsup", "munder", "mover", "munderover", "mtable", "mtr", "mtd", "mstyle",
}  # fmt: skip
COUNT = 6_000
FOUND = """box => {
    const seen = new Set();
    for (const node of box.querySelectorAll('*')) {
        seen.add(node.localName);
        for (const {name, value} of node.attributes) {
            if (name.startsWith('on') || name === 'id') seen.add(`${node.localName} ${name}`);
            if (/href|src|action|data$|poster|srcdoc/.test(name) && !/^https?:\\/\\//.test(value))
                seen.add(`${node.localName} ${name}=${value}`);
            if (name === 'style' && /url|expression|position/i.test(value)) seen.add(value);
        }
        node.dispatchEvent(new Event('mouseover'));
    }
    return [...seen];
}"""


def hostile(numbers, count):
    """Yields texts: each attempt in each form, then random ones within each other."""
    for active in ACTIVE:
        for form in FORMS:
            yield form.replace("{}", active.replace("%d", "1"))
    for number in range(count - len(ACTIVE) * len(FORMS)):
        text = "".join(numbers.choice(ACTIVE) for _ in range(numbers.randint(1, 2)))
        for _ in range(numbers.randint(1, 4)):
            text = numbers.choice(FORMS).replace("{}", text)
        cut = numbers.randint(0, len(text)) if number % 3 == 0 else len(text)
        yield text[:cut].replace("%d", str(number))


def streamed(text):
    """Returns the blocks that a page has half way."""
    return "".join(MarkdownStream().update(text[: len(text) * 2 // 3])[1])


def test_no_hostile_markdown_runs_or_fetches_anything(browser):
    """Inserted into a page as a widget does, and loaded as a document."""
    requested, dialogs = [], []
    page = browser.new_page()
    page.route("**/*", lambda route: (requested.append(route.request.url), route.abort()))
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    texts = list(hostile(random.Random(17), COUNT))
    strange = set()
    for start in range(0, len(texts), 500):
        blocks = [markdown_html(text) + streamed(text) for text in texts[start : start + 500]]
        page.set_content("<div id=box></div>")
        page.evaluate("blocks => { box.innerHTML = blocks.join('<hr>') }", blocks)
        strange |= set(page.evaluate(f"() => ({FOUND})(document.getElementById('box'))"))
        page.set_content(f"<div id=box>{framed(''.join(blocks))}</div>")
        strange |= set(page.evaluate(f"() => ({FOUND})(document.getElementById('box'))"))
        assert page.evaluate("() => window.hacked") is None
    page.close()

    assert len(texts) == COUNT
    assert strange - ALLOWED - {"style"} == set()
    assert (requested, dialogs) == ([], [])


def test_each_attempt_would_be_seen(browser):
    """The same check finds what it looks for in a page that renders the texts as HTML."""
    page = browser.new_page()
    page.route("**/*", lambda route: route.abort())
    page.set_content("<div id=box><img src=x onerror=hacked=1><a href='javascript:1'>x</a></div>")
    page.wait_for_function("() => window.hacked === 1")
    found = page.evaluate(f"() => ({FOUND})(document.getElementById('box'))")
    page.close()

    assert {"img onerror", "a href=javascript:1", "img"} <= set(found)
