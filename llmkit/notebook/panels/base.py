"""What every panel stands on: state to the page, actions from it, and words where there is none.

A panel is a subclass of `Panel` in this folder with a script of its own in `../static/`::

    class Colours(Panel):
        script = "colours.js"

        def state(self):            # what the script paints: JSON, never a key
            return {"rows": [...]}

        def html(self): ...         # the same for a closed notebook, from a pure renderer in views/
        def text(self): ...         # the same for a terminal

        def actions(self):          # what the page may ask for, by verb
            return {"mix": self._mix}

        def controls(self):         # the same for a front end without anywidget
            return [self.button("Mix", "mix", colour="red")]

        async def _mix(self, colour): ...

`changed()` paints again, `every(seconds)` does so by itself while somebody looks, and
`kit.manager.registry.watch(self.changed)` follows changes. An action runs on the kernel's main
loop, also when it was asked for from another thread or in the middle of a cell; one that fails
with an error of ours shows its sentence in the panel. A key comes in as a word of an action and
goes straight into a `Secret`: it is never a trait and never in the state.

The script exports `panel({ paint })` of `base.js`; see there. A name in `PANELS` of `open.py`
makes the panel one that `llmkit.panel(name)` and `%llmkit name` open.
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
from ...views.markup import safe_text
from .. import assets, kernel_patches
from ..live.main_loop import MainLoopQueue, in_kernel
from ..live.static_output import StaticOutput
from ..live.widget_output import WidgetOutput

if TYPE_CHECKING:
    from ...kit import Kit

Action = Callable[..., Coroutine[Any, Any, object]]

PAINT_S = 0.1  # most of ten paintings a second, whatever happens below
PLAIN_S = 0.5  # plain widgets are sent whole each time

log = logging.getLogger(__name__)

NOTHING = {"text/plain": ""}  # beside the widget, because the words stand before it


class Panel(anywidget.AnyWidget):
    """Paints what the kit says, and asks it for what is clicked; decides nothing.

    Lives until `close()`, or as long as the kernel.

    Attributes:
        script: Its front: a file in `static/`, or a path.
        kit: Where its state comes from and its actions go to.
        queue: The way to the main loop.
        widget_outputs: Where in the notebook it stands.
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
        self._views: set[str] = set()
        self.widget_outputs: list[WidgetOutput] = []
        self._greeting_callbacks: list[Callable[[], None]] = []
        self._html: Any = None  # the plain widget, once it was needed
        self._has_changes = False
        self._page_state: dict[str, object] | None = None
        self._period: float | None = None
        super().__init__()
        self.on_msg(lambda _, content, __: self._take(content))
        kernel_patches.intercept_comm(self.comm, self._take)
        kernel_patches.patch_replies(
            get_ipython()
        )  # whoever did not load the extension has panels as well
        self._paint()

    # -- what a subclass says ----------------------------------------------------------------

    def state(self) -> Mapping[str, object]:
        """What the script paints, as JSON; nothing that must stay secret."""
        raise NotImplementedError

    def html(self) -> str:
        """The state for a notebook that nobody runs, from a renderer in views/."""
        raise NotImplementedError

    def text(self) -> str:
        """The state for a terminal."""
        raise NotImplementedError

    def actions(self) -> Mapping[str, Action]:
        """What the page may ask for, by verb; each one a coroutine function."""
        return {}

    def controls(self) -> Sequence[Any]:
        """The ipywidgets that stand below the html where the front end has no anywidget."""
        return ()

    # -- what a subclass gets ----------------------------------------------------------------

    def changed(self, *_: object) -> None:
        """Paints the state again, soon; safe from every thread, and cheap when called often."""
        self.queue.soon(self._plan)

    def tell(self, kind: str, **message: object) -> None:
        """Sends the scripts a message of the panel's own kind, which `reduce` takes."""
        self.send({"kind": kind, **message})

    def ask(self, verb: str, **words: object) -> None:
        """Queues an action, as a click does."""
        self.queue.work(partial(self._act, verb, words))

    def button(self, label: str, verb: str, **words: object) -> Any:
        """A plain button that asks for an action."""
        return self.button_for(label, verb, lambda: words)

    def button_for(self, label: str, verb: str, words: Callable[[], Mapping[str, object]]) -> Any:
        """A plain button whose words are read when it is clicked."""
        button = ipywidgets.Button(description=label, layout={"width": "auto"})
        button.on_click(lambda _: self.ask(verb, **words()))
        return button

    def every(self, seconds: float) -> None:
        """Paints anew at this pace, as long as somebody looks."""
        self._period = seconds

    # -- how it is shown ---------------------------------------------------------------------

    def plain(self) -> Any:
        """The same panel of plain ipywidgets, for a front end that knows no others."""
        if self._html is None:
            self._html = ipywidgets.HTML(self.html()).add_class("lk-plain")
            self._watch_the_clock()
        return ipywidgets.VBox([self._html, *self.controls()])

    def words(self) -> dict[str, str]:
        """The state as html and text."""
        return {"text/html": self.html(), "text/plain": self.text()}

    @property
    def is_plain(self) -> bool:
        """Whether plain widgets show it."""
        return self._html is not None

    def repaint_plain(self) -> None:
        """Puts the html of now into the plain widget, if there is one."""
        if self._html is not None:
            self._html.value = self.html()

    def on_greeting(self, callback: Callable[[], None]) -> None:
        """Calls *callback* whenever a script of this panel comes to life."""
        self._greeting_callbacks.append(callback)

    def _ipython_display_(self) -> None:
        if not in_kernel():
            display({"text/plain": self.text()}, raw=True)
            return
        self.widget_outputs.append(WidgetOutput(self.queue, self, self.plain, self.words))

    def _repr_mimebundle_(self, **_: object) -> Any:
        return self.words(), {}

    def __repr__(self) -> str:
        return self.text()

    def close(self) -> None:
        """Takes it off the page; twice is harmless."""
        self._period = None
        self._views.clear()
        super().close()

    # -- what arrives ------------------------------------------------------------------------

    def _take(self, content: Mapping[str, Any]) -> None:
        """Any thread, and the same message perhaps twice: only handed on."""
        with self._lock:
            n = str(content.get("n"))
            if n in self._message_ids:
                return
            self._message_ids.append(n)
        self.queue.soon(self._answer, content)

    def _answer(self, content: Mapping[str, Any]) -> None:
        kind, view = content.get("kind"), str(content.get("view"))
        if kind == "bye":
            self._views.discard(view)
            return
        if view not in self._views:  # a click tells of a living script as well as a greeting
            for callback in (*(s.greeted for s in self.widget_outputs), *self._greeting_callbacks):
                callback()
            self._views.add(view)
            if len(self._views) == 1 and self._html is None:
                self._watch_the_clock()
            if content.get("empty"):
                self._page_state = None
            self._paint()
        if kind == "do":
            words = content.get("words")
            self.queue.work(partial(self._act, str(content.get("verb")), words, content.get("n")))

    async def _act(self, verb: str, words: object, n: object = None) -> None:
        error = None
        action = self.actions().get(verb)
        try:
            if action is None or not isinstance(words, dict):
                raise LlmkitError(f"this panel knows no {verb!r}")
            await action(**words)
        except LlmkitError as failure:
            error = safe_text(failure)
        except Exception as failure:
            log.exception("the action %r of a panel failed", verb)
            error = f"that failed unexpectedly ({type(failure).__name__}); the log says where"
        finally:
            try:
                self._paint()  # first: else the page goes back to what was, for a moment
            finally:
                self.send({"kind": "done", "n": n, "error": error})

    # -- what goes out -----------------------------------------------------------------------

    def _plan(self) -> None:
        has_viewers = self._views or self._html is not None  # a view that comes is painted then
        if has_viewers and not self._has_changes:
            self._has_changes = True
            self.queue.later(PAINT_S if self._html is None else PLAIN_S, self._paint)

    def _paint(self) -> None:
        self._has_changes = False
        self.repaint_plain()
        state = dict(self.state())
        if state != self._page_state:
            self._page_state = state
            self.send({"kind": "state", "state": state})

    def _watch_the_clock(self) -> None:
        if self._period is not None and (self._views or self._html is not None):
            self._plan()
            self.queue.later(self._period, self._watch_the_clock)


class LastingPanel(Panel):
    """Shows its html and text as well, unseen as long as the widget lives.

    Attributes:
        static_outputs: Where its words stand.
    """

    def __init__(self, kit: Kit) -> None:
        self.static_outputs: list[StaticOutput] = []
        super().__init__(kit)

    def changed(self, *_: object) -> None:
        """Paints the state again, soon, and renews its words."""
        super().changed()
        for output in self.static_outputs:
            output.renew()

    def _ipython_display_(self) -> None:
        if not in_kernel():
            super()._ipython_display_()
            return
        self.static_outputs.append(StaticOutput(self.queue, self.words))
        self.widget_outputs.append(WidgetOutput(self.queue, self, self.plain, lambda: NOTHING))
