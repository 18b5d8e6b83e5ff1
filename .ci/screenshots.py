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

SETUP = """\
%load_ext llmkit
import asyncio, llmkit
from llmkit import Script
kit = llmkit.current_kit()
poem = ("Entropy counts the ways in which the parts of a thing can be arranged while the whole "
        "looks the same. A tidy room has few such ways, an untidy one has many, and so a room "
        "that is left alone drifts towards disorder. ")
kit.script("fast", Script(poem, piece_delay_s=0.02))
kit.script("thoughtful", Script(poem * 2, piece_delay_s=0.06, reasoning="A child knows rooms."))
kit.script("cut", Script(poem, piece_delay_s=0.03, failure="cut"))
kit.script("refused", Script("you are out of credit", status=402))
kit.script("slow", Script(poem * 3, first_delay_s=0.5, piece_delay_s=0.2))
"""
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
    "%%compare scripted:fast scripted:cut scripted:refused --repeats 3 --out many\n" + PROMPT,
    "run.differences(0, 2)",
    "llmkit.panel('compare')",
    "%llmkit models claude-haiku",
    "%llmkit auth",
    OPENED,
    "%llmkit sessions",
]
FROZEN, LIVE, GRID, DIFFERENCES, COMPARE, MODELS, AUTH, _, SESSIONS = range(1, 10)
STATIC = {
    "comparison": FROZEN, "grid": GRID, "differences": DIFFERENCES, "models": MODELS,
    "auth": AUTH, "sessions": SESSIONS, "compare": COMPARE,
}  # fmt: skip


def compare(notebook: Any) -> None:
    """Fills in the form, and runs it."""
    page = notebook.cell(COMPARE)
    page.get_by_label("prompt", exact=True).fill(PROMPT)
    for name in ("scripted:fast", "scripted:thoughtful"):
        page.get_by_role("combobox", name="models").fill(name)
        page.get_by_role("combobox", name="models").press("Enter")
    page.get_by_label("temperature").fill("0, 1")
    notebook.cell(COMPARE).get_by_role("button", name="▸ Run").click()
    notebook.cell(COMPARE).get_by_text("in the variable").wait_for()


def shoot(notebook: Any, cell: int, name: str) -> None:
    """Takes one picture of a cell's output."""
    output = notebook.cell(cell).locator(".jp-OutputArea").first
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
            page.set_viewport_size({"width": 1280, "height": 6000})
            notebook.run(0)
            notebook.run(LIVE)
            page.locator(".lk-panel .lk-card[data-state=writing]").nth(1).wait_for()
            page.locator(".lk-panel .lk-card[data-state=complete]").first.wait_for()
            shoot(notebook, LIVE, "live-light")
            notebook.theme("JupyterLab Dark")
            page.set_viewport_size({"width": 700, "height": 9000})
            shoot(notebook, LIVE, "live-narrow-dark")
            notebook.theme("JupyterLab Light")
            page.set_viewport_size({"width": 1280, "height": 6000})
            notebook.run_all()
            compare(notebook)
            for name, cell in STATIC.items():
                shoot(notebook, cell, f"{name}-light")
            notebook.theme("JupyterLab Dark")
            page.set_viewport_size({"width": 700, "height": 9000})
            for name, cell in STATIC.items():
                shoot(notebook, cell, f"{name}-narrow-dark")
            notebook.close()
        browser.close()


if __name__ == "__main__":
    main()
