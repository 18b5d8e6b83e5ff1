"""Defines the base of panels: state sent to the page, actions received from it, static output.

A panel is a subclass of `Panel` in this folder with a script in `../static/`::

    class Colours(Panel):
        script = "colours.js"

        def state(self):            # JSON that the script paints, never an API key
            return {"rows": [...]}

        def html(self): ...         # for a closed notebook, from a pure renderer in views/
        def text(self): ...         # for a terminal

        def actions(self):          # the actions of the page, by verb
            return {"mix": self._mix}

        def controls(self):         # for a front end without anywidget
            return [self.button("Mix", "mix", colour="red")]

        async def _mix(self, colour): ...

`changed()` repaints, `every(seconds)` repaints periodically while the panel is visible, and
`kit.manager.registry.watch(self.changed)` follows changes. An action runs on the kernel's main
loop, even if it was requested from another thread or during a cell. The panel shows the message
of an `LlmkitError` that an action raises. A key arrives as an argument of an action and becomes a
`Secret` immediately: it is never a trait and never in the state.

The script exports `panel({ paint })` of `base.js`. Add the panel to `PANELS` of `open.py`, so that
`llmkit.panel(name)` and `%llmkit name` open it.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import anywidget
import ipywidgets
from IPython.core.getipython import get_ipython
from IPython.display import display

from ...errors import LlmkitError
from ...secret import hides_locals, without_locals
from ...views.markup import safe_text
from .. import assets, kernel_patches
from ..live.main_loop import MainLoopQueue, in_kernel
from ..live.static_output import StaticOutput
from ..live.widget_output import WidgetOutput

if TYPE_CHECKING:
    from ...kit import Kit

Action = Callable[..., Coroutine[Any, Any, object]]

PAINT_S = 0.1  # at most ten repaints a second
PLAIN_S = 0.5  # longer, because each repaint sends the whole of the plain widgets

log = logging.getLogger(__name__)


class Panel(anywidget.AnyWidget):
    """Shows state of the kit, and forwards clicks to it; makes no decisions.

    Lives until `close()`, or until the kernel ends. Its static output shows the state in a closed
    notebook, and is hidden while the widget is live.

    Attributes:
        script: A file in `static/`, or a path.
        kit: The source of the state, and the target of the actions.
        queue: Schedules work on the main loop.
        widget_outputs: The displays of the panel.
        static_outputs: The static outputs before them.
    """

    script: ClassVar[str | Path]
    _css = assets.styles()

    def __init_subclass__(cls, **options: Any) -> None:
        if "script" in cls.__dict__:
            cls._esm = assets.script(cls.script)
        super().__init_subclass__(**options)

    def __init__(self, kit: Kit) -> None:
        self.kit = kit
        self.queue = MainLoopQueue(kit.manager)
        self._lock = threading.Lock()
        self._message_ids: deque[str] = deque(maxlen=500)
        self._views: set[str | None] = set()
        self.widget_outputs: list[WidgetOutput] = []
        self.static_outputs: list[StaticOutput] = []
        self._greeting_callbacks: list[Callable[[], None]] = []
        self._html: Any = None  # the plain widget, made at its first use
        self._has_changes = False
        self._page_state: Mapping[str, object] | None = None
        self._period: float | None = None
        super().__init__()
        self.on_msg(lambda _, content, __: self._take(content))
        kernel_patches.intercept_comm(self.comm, self._take)
        kernel_patches.patch_replies(get_ipython())  # the extension may not be loaded
        self._paint()

    # -- implemented by subclasses -----------------------------------------------------------

    def state(self) -> Mapping[str, object]:
        """Returns the state that the script paints, as JSON values without secrets."""
        raise NotImplementedError

    def html(self) -> str:
        """Returns the state for a closed notebook, from a renderer in views/."""
        raise NotImplementedError

    def text(self) -> str:
        """Returns the state for a terminal."""
        raise NotImplementedError

    def actions(self) -> Mapping[str, Action]:
        """Returns the coroutine functions that the page may call, by verb."""
        return {}

    def lasting(self, state: Mapping[str, object]) -> Mapping[str, object]:
        """Returns the part of *state* that a repaint sends again if it has changed: all of it.

        A panel that tells its scripts the progress by messages leaves it out.
        """
        return state

    def page_is_empty(self) -> None:
        """Runs if a page without a state greets, before it gets the state."""

    def controls(self) -> Sequence[Any]:
        """Returns the ipywidgets below the HTML in a front end without anywidget."""
        return ()

    # -- used by subclasses ------------------------------------------------------------------

    def changed(self, *_: object) -> None:
        """Schedules a repaint, and an update of the static outputs.

        Thread-safe, and cheap if called often.
        """
        self.queue.soon(self._plan)
        for output in self.static_outputs:
            output.renew()

    def tell(self, kind: str, **message: object) -> None:
        """Sends the scripts a message for the `reduce` function of the panel."""
        self.send({"kind": kind, **message})

    def ask(self, verb: str, **words: object) -> None:
        """Queues an action, as a click does."""
        self.queue.work(partial(self._act, verb, words))

    def button(self, label: str, verb: str, **words: object) -> Any:
        """Returns a plain button that queues an action."""
        return self.button_for(label, verb, lambda: words)

    def button_for(self, label: str, verb: str, words: Callable[[], Mapping[str, object]]) -> Any:
        """Returns a plain button that computes the action's arguments when it is clicked."""
        button = ipywidgets.Button(description=label, layout={"width": "auto"})
        button.on_click(lambda _: self.ask(verb, **words()))
        return button

    def every(self, seconds: float) -> None:
        """Repaints every *seconds* while the panel is visible."""
        self._period = seconds

    # -- display -----------------------------------------------------------------------------

    def plain(self) -> Any:
        """Returns the panel as plain ipywidgets, for a front end without anywidget."""
        if self._html is None:
            self._html = ipywidgets.HTML(self.html()).add_class("lk-plain")
            self._watch_the_clock()
        return ipywidgets.VBox([self._html, *self.controls()])

    def words(self) -> dict[str, str]:
        """Returns the state as a MIME bundle of HTML and text."""
        return {"text/html": self.html(), "text/plain": self.text()}

    @property
    def is_plain(self) -> bool:
        """True if the panel is displayed as plain widgets."""
        return self._html is not None

    def repaint_plain(self) -> None:
        """Updates the HTML of the plain widget, if there is one."""
        if self._html is not None:
            self._html.value = self.html()

    def displayed_after(self, static: StaticOutput) -> None:
        """Displays the widget, which hides *static* while it is live."""
        self.static_outputs.append(static)
        self.add_class(static.widget_class)

        def plain() -> Any:
            return self.plain().add_class(static.widget_class)

        self.widget_outputs.append(WidgetOutput(self.queue, self, plain))

    def on_greeting(self, callback: Callable[[], None]) -> None:
        """Calls *callback* whenever a script of this panel starts."""
        self._greeting_callbacks.append(callback)

    def _ipython_display_(self) -> None:
        if not in_kernel():
            display({"text/plain": self.text()}, raw=True)
            return
        self.displayed_after(StaticOutput(self.queue, self.words))

    def _repr_mimebundle_(self, **_: object) -> Any:
        return self.words(), {}

    def __repr__(self) -> str:
        return self.text()

    def close(self) -> None:
        """Removes the panel from the page; has no effect a second time."""
        self._period = None
        self._views.clear()
        for output in self.widget_outputs:
            output.closed()
        super().close()

    # -- messages from the page --------------------------------------------------------------

    def _take(self, content: Mapping[str, Any]) -> None:
        """Queues a message; may be called from any thread, and twice with the same message."""
        with self._lock:
            n = str(content.get("n"))
            if n in self._message_ids:
                return
            self._message_ids.append(n)
        self.queue.soon(self._answer, content)

    def _answer(self, content: Mapping[str, Any]) -> None:
        kind, view = content.get("kind"), content.get("view")
        if kind == "bye":
            self._views.discard(view)
            return
        if view not in self._views:  # a click proves a running script as a greeting does
            for callback in (*(s.greeted for s in self.widget_outputs), *self._greeting_callbacks):
                callback()
            if view is None:  # the script runs, and no output shows the widget yet
                return
            self._views.add(view)
            if len(self._views) == 1 and self._html is None:
                self._watch_the_clock()
            if content.get("empty"):
                self._page_state = None
                self.page_is_empty()
            self._paint()
        if kind == "do":
            words = content.get("words")
            self.queue.work(partial(self._act, str(content.get("verb")), words, content.get("n")))

    @hides_locals
    async def _act(self, verb: str, words: object, n: object = None) -> None:
        error = None
        action = self.actions().get(verb)
        try:
            if action is None or not isinstance(words, dict):
                raise LlmkitError(f"this panel has no action {verb!r}")
            await action(**words)
        except LlmkitError as failure:
            error = safe_text(failure)
        except Exception as failure:
            log.exception("the action %r of a panel failed", verb, exc_info=without_locals(failure))
            error = f"the action failed unexpectedly ({type(failure).__name__}); see the log"
        finally:
            try:
                self._paint()  # before "done", else the page shows the old state for a moment
                for output in self.static_outputs:
                    output.renew()
            finally:
                self.send({"kind": "done", "n": n, "error": error})

    # -- messages to the page ----------------------------------------------------------------

    def _plan(self) -> None:
        has_viewers = self._views or self._html is not None  # a new view is painted when it greets
        if has_viewers and not self._has_changes:
            self._has_changes = True
            self.queue.later(PAINT_S if self._html is None else PLAIN_S, self._paint)

    def _paint(self) -> None:
        self._has_changes = False
        self.repaint_plain()
        state = self.state()
        lasting = dict(self.lasting(state))
        if lasting != self._page_state:
            self._page_state = lasting
            self.send({"kind": "state", "state": dict(state)})

    def _watch_the_clock(self) -> None:
        if self._period is not None and (self._views or self._html is not None):
            self._plan()
            self.queue.later(self._period, self._watch_the_clock)
