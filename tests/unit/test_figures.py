"""Figures fit for print, with the same numbers as a table."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from IPython.core.formatters import DisplayFormatter
from matplotlib.text import Text

from llmkit.errors import ConfigError
from llmkit.secret import Secret
from llmkit.types import Completion, Status, Usage
from llmkit.views.plots.aggregates import facets, grouped, short_names
from llmkit.views.plots.colors import DARK, LIGHT
from llmkit.views.plots.figure import INVERSION, comparison_figure
from llmkit.views.rows import Row
from tests.unit.rows import plain

TITLES = ["first chunk (s)", "duration (s)", "output tokens", "cost (US$)"]
# Names as long as real ones, and costs over four powers of ten.
NAMES = (
    ("openai", "gpt-6-luna"), ("openai", "gpt-6.1-sol"), ("anthropic", "claude-haiku-5-5"),
    ("anthropic", "claude-opus-5-5"), ("google", "gemini-3.8-flash"), ("google", "gemini-4-argon"),
    ("mistral", "mistral-small-latest"), ("mistral", "mistral-large-4"),
    ("openrouter", "anthropic/claude-sonnet-5.5"), ("openrouter", "mistralai/ministral-3b-2512"),
    ("ollama", "hf.co/bartowski/Llama-3.2-3B-Instruct-GGUF"), ("local", "smollm2"),
)  # fmt: skip


def answers(count: int, *points: dict[str, object]) -> list[Row]:
    """Returns three answers of each of *count* models per grid point; the last model is free."""
    found = []
    for point in points or ({},):
        for i, (provider, model) in enumerate(NAMES[:count]):
            for repeat in range(3):
                cost = 0.0 if provider == "local" else 0.00002 * 2.2**i * (1 + repeat / 9)
                row = plain(len(found), model, cost_usd=cost, duration_s=1.0 + i + repeat / 3)
                found.append(replace(row, provider=provider, parameters=point, repeat=repeat))
    return found


def failed(row: Row) -> Row:
    return replace(row, completion=Completion(status=Status.ERROR, duration_s=0.01))


def changed(row: Row, **changes: Any) -> Row:
    return replace(row, completion=replace(row.completion, **changes))


def legend_of(figure):
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def note(figure):
    return " ".join(figure._supxlabel.get_text().split())


def words(axis):
    return [text.get_text() for text in axis.texts if text.get_text()]


def labels(axis):
    return [label.get_text() for label in axis.get_yticklabels()]


def test_a_figure_has_four_panels_with_units():
    """One panel for each measure, with the same models in all."""
    figure = comparison_figure([plain(0, "a"), plain(1, "b")])

    assert [axis.get_title(loc="left") for axis in figure.axes] == TITLES
    assert labels(figure.axes[0]) == ["openai:a", "openai:b"]


@pytest.mark.parametrize(("count", "dark"), [(0, False), (1, True), (2, False), (12, True)])
@pytest.mark.parametrize("kind", ["models", "cost", "grid"])
def test_a_figure_is_a_picture(kind, count, dark):
    """It can be drawn with 0, 1, 2 and 12 models, light and dark, without a window."""
    rows = answers(count, {"temperature": 0}, {"temperature": 1})

    picture, size = comparison_figure(rows, kind, dark=dark)._repr_png_()

    assert picture.startswith(b"\x89PNG")
    assert size["width"] == 792


@pytest.fixture
def drawn(monkeypatch):
    """Draws a figure, and returns each visible text with its box on the page."""

    def texts_of(figure):
        texts = []
        monkeypatch.setattr(Text, "draw", lambda text, renderer: texts.append(text))
        figure.draw_without_rendering()
        shown = [text for text in texts if text.get_text() and text.get_visible()]
        return [(text, text.get_window_extent()) for text in shown]

    return texts_of


@pytest.mark.parametrize(("count", "cost_factor"), [(1, 0.01), (4, 100), (11, 1), (12, 0.01)])
@pytest.mark.parametrize("kind", ["models", "points", "cost", "grid"])
def test_no_text_of_a_figure_is_cut_off_or_covers_another(drawn, kind, count, cost_factor):
    """With up to twelve models of real names every text is on the page, and none overlaps.

    The costs are from 0.0000002 to 0.1 dollars, with and without free models. One model has failed.
    """
    rows = [
        changed(row, cost_usd=row.completion.cost_usd * cost_factor)
        for row in answers(count, {"temperature": 0}, {"temperature": 1})
    ]
    rows[3:6] = map(failed, rows[3:6])
    figure = comparison_figure(rows, kind, measure="cost_usd")
    texts = drawn(figure)

    page = figure.bbox
    assert len(texts) > count
    boxes = [box for _, box in texts]
    assert all(b.x0 >= 0 and b.x1 <= page.x1 and b.y0 >= 0 and b.y1 <= page.y1 for b in boxes)
    shrunk = [(text.get_text(), box.padded(-1)) for text, box in texts]
    assert not [(a, b) for (a, x), (b, y) in combinations(shrunk, 2) if x.overlaps(y)]


@pytest.mark.parametrize("most", [96, 283, 287, 295, 299])
def test_the_last_tick_is_within_the_page(drawn, most):
    """A tick may stand beyond the largest value, up to the end of the axis."""
    figure = comparison_figure([changed(zero(plain()), usage=Usage(20, most))])

    assert max(box.x1 for _, box in drawn(figure)) <= figure.bbox.x1


@pytest.mark.parametrize("count", [1, 12])
def test_a_legend_names_each_model_in_order_and_covers_no_data(drawn, count):
    """Each model has its own marker and colour, and the legend is beside the axes."""
    figure = comparison_figure(answers(count), "cost")
    drawn(figure)
    (legend,), (axis,) = figure.legends, figure.axes
    signs = [(line.get_marker(), line.get_color()) for line in legend.get_lines()]

    assert legend_of(figure)[0] == "openai:gpt-6-luna"
    assert len(legend_of(figure)) == len(set(signs)) == count
    assert signs == [
        (m.get_marker(), m.get_color()) for m in axis.lines if m.get_marker() != "None"
    ]
    assert legend.get_window_extent().x0 > axis.get_window_extent().x1


def test_what_is_unknown_is_written_so():
    """A model without a known price has n/a in that panel, and no dot at zero."""
    figure = comparison_figure([plain(0, "a", cost_usd=None), plain(1, "b")])

    assert words(figure.axes[3]) == ["n/a"]
    assert [list(line.get_ydata()) for line in figure.axes[3].lines] == [[1]]


def test_failures_are_named_once_beside_the_line_and_count_nowhere():
    """A fast error does not count as a fast answer."""
    figure = comparison_figure([plain(0, "a"), failed(plain(1, "a"))])

    assert labels(figure.axes[0]) == ["openai:a"]
    assert [words(axis) for axis in figure.axes] == [[], [], [], ["1 of 2 failed"]]
    assert figure.axes[1].lines[-1].get_xdata() == [1.5]
    assert note(figure) == "Mark: the one answer of each line. Left out: 1 failed."


def test_substitutes_are_left_out_and_the_figure_says_so():
    """A fallback model's times do not count for the requested model."""
    stood_in = replace(plain(1, "b"), substituted=True)
    figure = comparison_figure([plain(0, "a"), stood_in])

    assert labels(figure.axes[0]) == ["openai:a", "openai:b"]
    assert words(figure.axes[1]) == ["n/a"]
    assert words(figure.axes[3]) == ["n/a", "1 of 1 substituted"]
    assert note(figure).endswith(
        "Left out: 1 substituted. plot(substituted=True) includes the answers of other models."
    )


def test_substitutes_are_drawn_on_request_in_a_second_colour():
    """A sign marks them as well, for prints in grey."""
    stood_in = replace(plain(1, "b"), substituted=True)
    figure = comparison_figure([plain(0, "a"), stood_in], substituted=True)

    assert labels(figure.axes[0]) == ["openai:a", "openai:b †"]
    assert figure.axes[1].lines[-1].get_color() == LIGHT.second
    assert note(figure).endswith("†: answered in place of the model named.")


def test_a_substitute_is_hollow_among_the_markers_and_has_its_sign_in_the_legend():
    """A print in grey shows the difference to the requested model."""
    stood_in = replace(plain(1, "b"), substituted=True)
    figure = comparison_figure([plain(0, "a"), stood_in], "cost", substituted=True)
    named, hollow = figure.legends[0].get_lines()

    assert legend_of(figure) == ["openai:a", "openai:b †"]
    assert named.get_markerfacecolor() == LIGHT.models[0]
    assert hollow.get_markerfacecolor() == LIGHT.back


def test_an_answer_that_was_sent_once_for_several_rows_is_drawn_nowhere_twice():
    """Rows that share a request are one measurement, also in the panels of a grid."""
    rows = [replace(row, parameters={"temperature": t}) for t, row in enumerate((plain(), plain()))]
    rows = [rows[0], replace(rows[1], row=1, shared_with=0)]
    figure = comparison_figure(rows, "grid")

    assert [[t.get_text() for t in axis.texts] for axis in figure.axes] == [[], ["n/a"]]
    assert sum(len(group.counted) for group in grouped(rows)) == 1
    assert note(figure).endswith("Left out: 1 shared. Shared: sent once, with another row.")


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (Status.COMPLETE, None), (Status.LENGTH, None), (Status.FILTERED, "1 filtered"),
        (Status.INCOMPLETE, "1 incomplete"), (Status.TRUNCATED, "1 truncated"),
        (Status.CANCELLED, "1 cancelled"), (Status.ERROR, "1 failed"),
    ],
)  # fmt: skip
def test_only_an_answer_that_is_ok_counts(status, why):
    """It is complete, or as long as it was allowed to be; the note says why others do not count."""
    figure = comparison_figure([plain(0, "a"), plain(1, "a", status=status)])
    counted = f"Mark: the one answer of each line. Left out: {why}."

    assert len(figure.groups[0].counted) == (2 if why is None else 1)
    assert why is None or note(figure) == counted


def test_a_rerouted_answer_counts_only_for_the_model_that_gave_it():
    """It is left out with a note, or drawn under its own name; an unnamed model is left out."""
    named, moved, unnamed = (
        changed(plain(i, "a"), rerouted=i > 0, response_model="b" if i == 1 else "a")
        for i in range(3)
    )
    rows = [named, moved, unnamed]

    (group,) = grouped(rows)
    own, other = grouped(rows, substituted=True)

    assert (len(group.counted), group.remark) == (1, "2 of 3 rerouted")
    assert (own.name, len(own.counted), own.remark) == ("openai:a", 1, "1 of 2 rerouted")
    assert (other.name, len(other.counted), other.substituted) == ("openai:b", 1, True)


def test_answers_of_an_unknown_model_are_drawn_and_the_figure_says_so():
    """A server that names no model may have answered with any."""
    figure = comparison_figure([changed(plain(0, "a"), rerouted=None), plain(1, "b")])

    assert [len(group.counted) for group in figure.groups] == [1, 1]
    assert note(figure).endswith("Not known if the model named answered: 1.")


@pytest.mark.parametrize(
    ("costs", "scale", "said"),
    [
        ((0.00012, 0.00012), "linear", ["0", "0.00005", "0.0001"]),
        ((0.0003, 0.0011, 0.009), "linear", ["0", "0.005"]),
        ((1.0, 3.0), "linear", ["0", "0.5", "1", "1.5", "2", "2.5", "3"]),
        ((0.00002, 0.005), "log", ["0.0001", "0.001"]),
        ((0.002, 5.0), "log", ["0.01", "0.1", "1"]),
        ((0.0, 0.00002, 0.005), "symlog", ["0", "0.0001", "0.001"]),
    ],
)
def test_costs_are_plain_decimals_on_an_axis_that_shows_the_cheapest(costs, scale, said):
    """The cheapest is apart from the most expensive, and free models have a place."""
    figure = comparison_figure([plain(i, f"m{i}", cost_usd=cost) for i, cost in enumerate(costs)])
    axis = figure.axes[3]
    figure.draw_without_rendering()
    left, right = axis.get_xlim()
    ticks = zip(axis.get_xticks(), axis.get_xticklabels(), strict=True)

    assert axis.get_xscale() == scale
    assert [label.get_text() for value, label in ticks if left <= value <= right] == said
    assert all(left < cost < right for cost in costs if cost is not None)


def test_a_wide_logarithmic_axis_has_ticks_within_its_decades():
    """Two decades of costs have more than two tick labels."""
    rows = [plain(0, "a", cost_usd=0.00002), plain(1, "b", cost_usd=0.005)]
    figure = comparison_figure(rows, "cost")
    figure.draw_without_rendering()
    (axis,) = figure.axes
    low, high = axis.get_ylim()

    assert [f"{tick:g}" for tick in axis.get_yticks() if low <= tick <= high] == [
        "2e-05", "5e-05", "0.0001", "0.0002", "0.0005", "0.001", "0.002", "0.005",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["models", "cost", "grid"])
def test_a_name_with_dollars_is_not_a_formula(drawn, kind):
    """A model or a parameter that contains TeX is shown as written, without an error."""
    odd = replace(plain(0, r"a$\frac$b"), parameters={"stop": r"$\frac$"})
    figure = comparison_figure([odd], kind)

    assert figure._repr_png_()
    assert any(r"a$\frac$b" in text.get_text() for text, _ in drawn(figure))


def test_cost_against_duration_names_what_it_cannot_draw():
    """A model without a price is named below the axes, and not drawn at 0."""
    figure = comparison_figure([plain(0, "a"), plain(1, "b", cost_usd=None)], "cost")

    assert legend_of(figure) == ["openai:a"]
    assert note(figure).endswith("No price or duration: openai:b.")


def test_a_grid_of_two_parameters_is_a_table_of_panels():
    """The first parameter is vertical, the second horizontal, all on one scale."""
    points = [{"temperature": t, "top_p": p} for t in (0, 0.5, 1) for p in (0.5, 1)]
    figure = comparison_figure(answers(2, *points), "grid", measure="cost_usd")

    titles = [axis.get_title(loc="left") for axis in figure.axes]
    assert titles[:2] == ["temperature 0\ntop_p 0.5", "temperature 0\ntop_p 1"]
    assert figure.axes[0].get_gridspec().get_geometry() == (3, 2)
    assert len({axis.get_xlim() for axis in figure.axes}) == 1
    assert figure.get_suptitle() == "cost (US$)"


def test_a_model_that_a_grid_point_lacks_keeps_its_line():
    """The same line is the same model in every panel."""
    rows = answers(2, {"seed": 1}, {"seed": 2})
    figure = comparison_figure([*rows[:-3], *map(failed, rows[-3:])], "grid")

    assert [t.get_text() for t in figure.axes[1].texts] == ["n/a"]
    assert len(figure.axes[0].get_yticks()) == 2


def test_a_terminal_gets_the_numbers_of_a_figure(monkeypatch):
    """Median, minimum and maximum of each measure, and the omissions, at any terminal width."""
    monkeypatch.setenv("COLUMNS", "40")
    rows = [plain(i, "a", duration_s=1.0 + i) for i in range(3)]
    text = str(comparison_figure([*rows, failed(plain(3, "a"))]))

    assert text.splitlines() == [
        "median (minimum to maximum)",
        "model     answers  first chunk (s)  duration (s)  output tokens  cost (US$)",
        "--------  -------  ---------------  ------------  -------------  ----------",
        "openai:a        3              0.5    2 (1 to 3)             17     0.00123",
        "    1 of 4 failed",
        "Mark: median; line: minimum to maximum; 3 answers per line. Left out: 1 failed.",
    ]
    assert str(comparison_figure([])) == "median (minimum to maximum)\nNo answers."


def zero(row: Row) -> Row:
    return changed(row, cost_usd=0.0, time_to_first_chunk_s=None)


def test_a_measure_that_tells_nothing_is_left_out_and_the_note_says_so():
    """An axis from 0 to 1 for costs of 0 would be read as a price."""
    figure = comparison_figure([zero(plain(0, "a")), zero(plain(1, "b"))])

    assert [axis.get_title(loc="left") for axis in figure.axes] == ["duration (s)", "output tokens"]
    assert note(figure).endswith(
        "Not drawn: cost (0 in all answers), first chunk (unknown in all answers)."
    )


@pytest.mark.parametrize(("seconds", "title"), [(0.004, "duration (ms)"), (0.4, "duration (s)")])
@pytest.mark.parametrize("kind", ["models", "cost", "grid"])
def test_short_times_are_in_milliseconds(drawn, kind, seconds, title):
    """A tick such as 0.004 s is harder to read than 4 ms."""
    short = {"duration_s": seconds, "time_to_first_chunk_s": seconds / 2}
    rows = [plain(0, "a", **short), plain(1, "b", **short)]
    figure = comparison_figure(rows, kind)
    texts = [text.get_text() for text, _ in drawn(figure)]

    assert title in texts
    assert "4" in texts if seconds < 0.1 else "0.4" in texts


def test_what_varies_is_drawn():
    """The models; of one model the points of the grid, or the prompts."""
    one = [replace(plain(t, "a"), parameters={"temperature": t, "seed": 7}) for t in range(3)]
    two = [replace(row, provider="mistral") for row in one]
    prompts = [replace(plain(i, "a"), prompt_id=i) for i in range(2)]
    points = ["temperature 0", "temperature 1", "temperature 2"]
    figure = comparison_figure(one)

    assert (figure.get_suptitle(), labels(figure.axes[0])) == ("openai:a", points)
    assert note(figure).endswith("All: seed 7.")
    assert labels(comparison_figure([*one, *two]).axes[0]) == ["openai:a", "mistral:a"]
    assert note(comparison_figure([*one, *two])).endswith(
        'All: seed 7. plot("points") draws each point of the grid.'
    )
    assert labels(comparison_figure([*one, *two], "points").axes[0]) == [
        "openai:a", *points, "mistral:a", *points,
    ]  # fmt: skip
    assert labels(comparison_figure(prompts).axes[0]) == ["prompt 0", "prompt 1"]
    assert labels(comparison_figure([plain(0, "a"), plain(1, "b")]).axes[0]) == [
        "openai:a", "openai:b",
    ]  # fmt: skip


def test_ticks_that_a_user_sets_stay():
    """The figure is one of matplotlib, which may be changed before it is drawn."""
    figure = comparison_figure([plain(0, "a"), plain(1, "b")])
    figure.axes[1].set_xticks([0.25, 0.75])
    figure.draw_without_rendering()

    assert list(figure.axes[1].get_xticks()) == [0.25, 0.75]


def test_points_whose_texts_begin_alike_stay_apart():
    """Two system prompts may differ at their end, and a stop sequence may be a text or none."""
    values = [{"system": "You are a helpful assistant that " + end} for end in ("rhymes", "sings")]
    rows = [replace(plain(i, "a"), parameters=v) for i, v in enumerate([*values, {}])]
    names = labels(comparison_figure(rows).axes[0])

    assert len(facets(rows)) == len(set(names)) == 3
    assert [names[0][-6:], names[1][-5:], names[2]] == [
        "rhymes", "sings", "defaults of the provider",
    ]  # fmt: skip


def test_a_terminal_names_the_points_that_are_drawn():
    """A table of the same numbers has a line for each of them."""
    rows = [replace(plain(t, "a"), parameters={"temperature": t}) for t in range(2)]

    assert str(comparison_figure(rows)).splitlines()[3].startswith("openai:a · temperature 0  ")


def test_many_models_with_one_point_each_are_one_line_each():
    """With many models and points, a line is a model; a figure ends at sixty lines."""
    rows = answers(12, *[{"temperature": t / 10} for t in range(3)])
    many = [plain(i, f"m{i}") for i in range(70)]

    assert len(labels(comparison_figure(rows).axes[0])) == 12
    assert len(labels(comparison_figure(many).axes[0])) == 60
    assert note(comparison_figure(many)).endswith("10 further lines are not drawn.")


def test_a_large_grid_has_as_many_panels_as_can_be_read():
    """The note counts the others, and names failures once for each model."""
    rows = [replace(plain(s, "ab"[s % 2]), parameters={"seed": s // 2}) for s in range(80)]
    figure = comparison_figure([failed(rows[0]), *rows[1:]], "grid")

    assert len([axis for axis in figure.axes if axis.get_visible()]) == 24
    assert note(figure).endswith(
        "Left out by model: openai:a (1 of 40 failed). 16 further points of the grid are not drawn."
    )


def test_long_names_are_shortened_and_stay_different():
    """The provider and the end stay; the note has the full names."""
    names = [
        "openrouter:anthropic/claude-sonnet-5.5", "ollama:hf.co/bartowski/Llama-3.2-3B-GGUF:Q4_K_M",
        "ollama:hf.co/bartowski/Llama-3.3-3B-GGUF:Q4_K_M", "ollama:hf.co/unsloth/Llama-3.2:Q4_K_M",
        "local:smollm2", "local:smollm2",
    ]  # fmt: skip
    short = short_names(names)
    alike = [f"x:{'a' * 40}{n}{'b' * 40}" for n in range(20)]

    assert short[0] == "openrouter:…/claude-sonnet-5.5"
    assert short[4:] == names[4:]
    assert len(set(short)) == 5
    assert len(set(short_names(alike))) == 20
    assert max(map(len, [*short, *short_names(alike)])) <= 34
    row = replace(plain(0, "anthropic/claude-sonnet-5.5"), provider="openrouter")
    assert f"Full names: {names[0]}." in note(comparison_figure([row]))


def test_figures_of_nothing_and_of_failures_say_so():
    """No axis stands for no value."""
    nothing = comparison_figure([])
    lost = comparison_figure([failed(plain(0, "a")), failed(plain(1, "b"))])

    assert (note(nothing), nothing.axes[0].get_visible()) == ("No answers.", False)
    assert note(lost) == "Left out: 2 failed."
    assert words(lost.axes[0]) == ["n/a", "n/a", "1 of 1 failed", "1 of 1 failed"]
    lost.draw_without_rendering()
    assert list(lost.axes[0].get_xticks()) == []


def test_a_page_shows_the_picture_with_its_numbers_as_its_description():
    """A screen reader reads the table; a key in a name is masked there."""
    key = Secret("sk-canary-9876543210").reveal()
    html = comparison_figure([plain(0, f"<b>{key}")])._repr_html_()

    assert 'class="lk-figure lk-light"' in html
    assert 'alt="median (minimum to maximum)' in html
    assert "canary" not in html
    assert "<b>" not in html
    assert "lk-light" not in comparison_figure([plain()], dark=True)._repr_html_().split("<img")[1]


def test_a_notebook_gets_the_page_and_the_picture_of_one_drawing():
    """Both are stored: a front end chooses one, and a printed notebook may have no styles."""
    forms, sizes = DisplayFormatter().format(comparison_figure([plain()]))

    assert b64encode(forms["image/png"]).decode() in forms["text/html"]
    assert forms["text/plain"].startswith("median (minimum to maximum)")
    assert f'width="{sizes["image/png"]["width"]}"' in forms["text/html"]


def test_an_inverted_figure_can_be_read():
    """A dark theme shows the light picture through a filter: the contrast is as in a dark one."""
    back = inverted(LIGHT.back)

    assert back == "#121212"
    assert contrast(inverted(LIGHT.text), back) >= 4.5
    assert contrast(inverted(LIGHT.soft), back) >= 4.5
    dots = [LIGHT.dot, LIGHT.second, *LIGHT.models]
    assert [c for c in dots if contrast(inverted(c), back) < 3] == []


def inverted(colour: str) -> str:
    """Returns the colour that `INVERSION` and hue-rotate(180deg) of CSS filters make."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    parts = [INVERSION - part * (2 * INVERSION - 1) for part in parts]
    # The matrix of hue-rotate (Filter Effects 1, 8.5) with cos = -1 and sin = 0.
    grey = 2 * (0.213 * parts[0] + 0.715 * parts[1] + 0.072 * parts[2])
    turned = [min(max(grey - part, 0), 1) for part in parts]
    return "#" + "".join(f"{round(part * 255):02x}" for part in turned)


@pytest.mark.parametrize("colors", [LIGHT, DARK])
def test_the_text_of_figures_can_be_read(colors):
    """Contrast of text is at least 4.5, of dots and lines at least 3."""
    assert contrast(colors.text, colors.back) >= 4.5
    assert contrast(colors.soft, colors.back) >= 4.5
    dots = [colors.dot, colors.second, *colors.models]
    assert [c for c in dots if contrast(c, colors.back) < 3] == []


def contrast(one: str, other: str) -> float:
    """Returns the contrast as defined by WCAG 2."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("kind", ["models", "nothing"])
def test_a_slip_names_what_there_is(kind):
    """An unknown plot or measure gives one message with the known ones."""
    with pytest.raises(ConfigError, match=r"known (kinds|measures): "):
        comparison_figure([plain()], kind if kind == "nothing" else "grid", measure="speed")
