"""The smallest possible panel, which tests the base of all panels."""

from __future__ import annotations

import threading
from pathlib import Path

from llmkit.errors import ConfigError
from llmkit.kit import current_kit
from llmkit.notebook.panels.base import Panel


class Counter(Panel):
    """Counts clicks, and shows the thread that did so."""

    script = Path(__file__).with_name("counter.js")

    def __init__(self):
        self.count = 0
        self.thread = "none"
        super().__init__(current_kit())

    def state(self):
        return {"count": self.count, "thread": self.thread}

    def html(self):
        return f"<p class=count>counted {self.count} on {self.thread}</p>"

    def text(self):
        return f"counted {self.count} on {self.thread}"

    def actions(self):
        return {"count": self._count, "fail": self._fail}

    def controls(self):
        return [self.button("Count", "count", by=1)]

    async def _count(self, by):
        self.count += by
        self.thread = threading.current_thread().name

    async def _fail(self):
        raise ConfigError("this always fails; do something else")
