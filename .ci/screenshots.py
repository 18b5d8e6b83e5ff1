"""Takes the pictures of docs/images in a real browser; `make screenshots` runs it.

All answers come from a script, so the pictures are reproducible on any machine.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
sys.path.insert(0, str(ROOT))

MOST_PX = 1100  # height of a picture; a longer output is cut at its end
WIDE_PX, HEIGHT_PX = 1500, 1600  # of the page; the narrow pictures have 700 px
SETUP = (
    """\
%load_ext llmkit
import asyncio, llmkit
from llmkit import Script
kit = llmkit.current_kit()
poem = ("Entropy counts the ways in which the parts of a thing can be arranged while the whole "
        "looks the same. A tidy room has few such ways, an untidy one has many, and so a room "
        "that is left alone drifts towards disorder. ")
coded = """
    + '''"""\
## Entropy in two lines

Entropy is the **logarithm** of the number of arrangements $W$:

```python
from math import log

def entropy(ways: int) -> float:
    return 1.380649e-23 * log(ways)  # J/K
```

| room | arrangements |
|---|---|
| tidy | few |
| untidy | many |
"""
'''
    + """
kit.script("fast", Script(coded, piece_delay_s=0.02))
kit.script("thoughtful", Script(poem * 2, piece_delay_s=0.06, reasoning="A child knows rooms."))
kit.script("cut", Script(poem, piece_delay_s=0.03, failure="cut"))
kit.script("refused", Script("you are out of credit", status=402))
kit.script("slow", Script(poem * 3, first_delay_s=0.5, piece_delay_s=0.2))

def recited(model):
    def reply(body):
        asked = body["messages"][-1]["content"]
        if model == "brief" and asked in failing:
            return failing[asked]
        return Script(f"{asked} {lines[model]}", piece_delay_s=0.002)
    return reply

lines = {"brief": "Ask for less.", "plain": "It depends on what you count.",
         "learned": poem, "careful": "I am not sure, but I would check it in two sources first."}
topics = ["entropy", "a prime number", "a mole", "a glacier", "inflation", "a haiku", "recursion",
          "a comet", "yeast", "a sonnet", "a quark", "a tariff", "an enzyme"]
questions = [f"{verb} {topic}?" for topic in topics for verb in ("What is", "Who needs")][:25]
failing = {questions[2]: Script("slow down", status=429), questions[9]: Script(poem, failure="cut")}
for name in lines:
    kit.script(name, recited(name))
"""
)
OPENED = """\
class Client:
    async def close(self):
        await asyncio.sleep(0)

mine = llmkit.register_session(Client(), provider_name="my-lab")
async with llmkit.session("mistral"), llmkit.session("anthropic"):
    pass
llmkit.register_session(Client(), provider_name="second-lab")
"""
PROMPT = "Explain entropy to a ten-year-old."
FOUR = "%%compare scripted:fast scripted:thoughtful scripted:cut scripted:refused --out run\n"
CELLS = [
    SETUP,
    FOUR + PROMPT,
    f"task = asyncio.create_task(llmkit.acompare({PROMPT!r}, "
    "['scripted:fast', 'scripted:slow', 'scripted:thoughtful', 'scripted:refused']))",
    "matrix = llmkit.compare(questions, [f'scripted:{name}' for name in lines], retries=0)",
    "%%compare scripted:fast scripted:cut scripted:refused --repeats 3 --out many\n" + PROMPT,
    "run.differences(0, 2)",
    "llmkit.panel('compare')",
    "%llmkit models claude-haiku",
    "%llmkit auth",
    OPENED,
    "%llmkit sessions",
    "llmkit.panel('compare')",
    "kit.credentials.type_in('openai', 'sk-fake-0123456789abcdef')",
]
FROZEN, LIVE, MATRIX, GRID, DIFFERENCES, COMPARE, MODELS, AUTH, _, SESSIONS, ESTIMATE, KEY = range(
    1, 13
)
STATIC = {
    "comparison": FROZEN, "matrix": MATRIX, "grid": GRID, "differences": DIFFERENCES,
    "models": MODELS, "auth": AUTH, "sessions": SESSIONS, "compare": COMPARE, "estimate": ESTIMATE,
}  # fmt: skip


def fill_in(notebook: Any, cell: int, *names: str) -> None:
    """Types a prompt, models and a grid into the form of a panel."""
    page = notebook.cell(cell)
    page.get_by_label("prompt", exact=True).fill(PROMPT)
    for name in names:
        page.get_by_role("combobox", name="models").fill(name)
        page.get_by_role("combobox", name="models").press("Enter")
    page.get_by_label("temperature").fill("0, 1")


def compare(notebook: Any) -> None:
    """Runs the first form; fills in the second one with a model that costs money, and leaves it."""
    fill_in(notebook, COMPARE, "scripted:fast", "scripted:thoughtful")
    notebook.cell(COMPARE).get_by_role("button", name="▸ Run").click()
    # The static output, which is hidden beside the panel, has the same words.
    panel = notebook.cell(COMPARE).locator(".lk-panel")
    panel.get_by_role("status").filter(has_text="in the variable").wait_for()
    notebook.run(KEY)
    fill_in(notebook, ESTIMATE, "gpt-6-luna", "scripted:fast")
    notebook.cell(ESTIMATE).get_by_label("max tokens").fill("200")
    notebook.cell(ESTIMATE).locator(".lk-panel").get_by_text("$").first.wait_for()


def shoot(notebook: Any, cell: int, name: str) -> None:
    """Takes one picture of a cell's output, from its top."""
    output = notebook.cell(cell).locator(".jp-OutputArea").first
    output.evaluate(
        "(node, most) => Object.assign(node.style, { maxHeight: most, overflow: 'hidden' })",
        f"{MOST_PX}px",
    )
    output.scroll_into_view_if_needed()
    output.screenshot(path=IMAGES / f"{name}.png", animations="disabled")
    print("took", name)


def main() -> None:
    """Takes all pictures: light and wide, dark and narrow."""
    from playwright.sync_api import sync_playwright

    from tests.browser.lab import FLAGS, Notebook, browser_path, lab, written

    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        home = Path(folder)
        file = written(home / "shots.ipynb", *CELLS)
        browser = playwright.chromium.launch(executable_path=browser_path(), args=FLAGS)
        with lab(home) as url:
            notebook = Notebook(browser, url.format(file.name), file)
            page = notebook.page
            page.set_viewport_size({"width": WIDE_PX, "height": HEIGHT_PX})
            notebook.run(0)
            notebook.run(LIVE)
            page.locator(".lk-panel .lk-card[data-state=writing]").nth(1).wait_for()
            page.locator(".lk-panel .lk-card[data-state=complete]").first.wait_for()
            shoot(notebook, LIVE, "live-light")
            notebook.theme("JupyterLab Dark")
            page.set_viewport_size({"width": 700, "height": HEIGHT_PX})
            shoot(notebook, LIVE, "live-narrow-dark")
            notebook.theme("JupyterLab Light")
            page.set_viewport_size({"width": WIDE_PX, "height": HEIGHT_PX})
            for cell in range(1, KEY):
                if cell != LIVE:
                    notebook.run(cell)
            compare(notebook)
            for name, cell in STATIC.items():
                shoot(notebook, cell, f"{name}-light")
            notebook.theme("JupyterLab Dark")
            page.set_viewport_size({"width": 700, "height": HEIGHT_PX})
            for name, cell in STATIC.items():
                shoot(notebook, cell, f"{name}-narrow-dark")
            notebook.close()
        browser.close()


if __name__ == "__main__":
    main()
