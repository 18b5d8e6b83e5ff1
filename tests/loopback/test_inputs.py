"""Prompts, values and columns as people hold them, from the arguments of a run to its files."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import llmkit
from llmkit.chat.arguments import chat_arguments
from llmkit.comparison.arguments import comparison_arguments
from llmkit.errors import ConfigError
from llmkit.kit import Kit
from llmkit.views.frames import AFTER_GRID, BEFORE_GRID

ECHO, HALF = "scripted:echo", "\ud83d"
OURS = [*BEFORE_GRID, *AFTER_GRID, "stop", "prompt_text", "prompt_prompt_text"]


@pytest.fixture(scope="module")
def kit():
    made = Kit(environ={}, notify=lambda text: None)
    yield made
    made.close()


def run(kit, *asked, **more):
    compared = comparison_arguments(*asked, **more)
    return kit.manager.run(kit.compare(compared.requests, compared.options, **compared.limits))


def notes(found):
    return [note for note in found.notes if "[scripted]" not in note]


def test_numbers_of_numpy_are_sent_as_numbers(fakes):
    """A parameter, a grid, and an option at any depth.

    Sources: https://github.com/livekit/agents/issues/2855 and
    https://github.com/bigscience-workshop/lm-evaluation-harness/pull/94 (read 2026-11-30).
    """
    kit = Kit(environ={"LLMKIT_OPENAI_BASE_URL": fakes.base_url("openai"),
                       "OPENAI_API_KEY": fakes.key}, list_prices="all")  # fmt: skip
    found = run(
        kit, pd.Series(["a", "b"]).unique(), "openai:gpt-4o", seed=np.arange(2),
        max_tokens=np.int64(5), temperature=np.float64(0.5), stop=np.array(["x", "y"]),
        repeats=np.int8(1), stream=np.bool_(True), verbatim=np.bool_(True),
        timeout=np.float32(30), retries=np.int64(0), max_calls=np.int64(4),
        limit_per_provider=np.int64(1), max_cost_usd=np.float64(9),
        metadata={"ids": np.array([1, 2]), "deep": [{"flag": np.bool_(True)}, range(2)]},
    )  # fmt: skip
    kit.close()

    bodies = [asked.body for asked in fakes.asked["openai"]]
    assert {str(row.completion.status) for row in found} == {"complete"}
    assert sorted(body["seed"] for body in bodies) == [0, 0, 1, 1]
    assert {type(body["seed"]) for body in bodies} == {int}
    assert (bodies[0]["temperature"], bodies[0]["stop"]) == (0.5, ["x", "y"])
    assert bodies[0]["metadata"] == {"ids": [1, 2], "deep": [{"flag": True}, [0, 1]]}


def test_the_values_of_a_view_are_read_at_each_call():
    """The same view of a dict has other values later."""
    values = {"a": 1}
    view = values.values()
    first = comparison_arguments("hi", ECHO, seed=view)
    values["b"] = 2
    second = comparison_arguments("hi", ECHO, seed=view)

    assert (len(first.requests), len(second.requests)) == (1, 2)


def test_a_limit_that_is_not_a_number_is_refused():
    """NaN is larger than nothing, so it would allow any cost."""
    for name, value in (
        ("max_cost_usd", math.nan), ("max_calls", "3"), ("limit_per_provider", 0),
        ("max_calls", 1.5),
    ):  # fmt: skip
        with pytest.raises(ConfigError, match=f"^{name} must be "):
            comparison_arguments("hi", ECHO, **{name: value})


def test_an_option_named_like_an_argument_of_compare_is_sent():
    """OpenRouter has `models`; ask() has no such argument."""
    request = chat_arguments("hi", ECHO, models=("a", "b")).request

    assert dict(request.prompt.options) == {"models": ("a", "b")}


def test_half_a_character_costs_no_table_and_is_noted(kit, tmp_path):
    """In a prompt, an index, a column, a name, the system prompt, a stop sequence and an option.

    Sources: https://github.com/simonw/llm/issues/768 and
    https://github.com/Aider-AI/aider/issues/3693 (read 2026-11-30).
    """
    frame = pd.DataFrame(
        [["a", "b"], [f"cut {HALF}", HALF]], columns=pd.Index(["prompt", HALF], dtype=object),
        index=pd.Index(["p", HALF], dtype=object), dtype=object,
    )  # fmt: skip
    found = run(
        kit,
        frame,
        [ECHO, f"ghost{HALF}"],
        system=f"s {HALF}",
        stop=[f"end{HALF}"],
        user={HALF: HALF},
    )
    written = [
        found.to_json(tmp_path / "a.json"), found.to_csv(tmp_path / "a.csv"),
        found.to_parquet(tmp_path / "a.parquet"), found.to_html(tmp_path / "a.html"),
    ]  # fmt: skip

    assert [path for path in written if b"\\ud83d" in path.read_bytes()] == []
    assert found.frame()["text"].tolist()[2] == "cut \ufffd"
    assert found.frame()["\ufffd"].tolist() == ["b", "b", "\ufffd", "\ufffd"]
    assert llmkit.load(written[0]).rows[2].prompt_id == "\ufffd"
    assert notes(found) == [
        "Half a character (a lone surrogate) became U+FFFD in the prompts at position 1 ('�'), "
        "names of columns, system, stop, models, options.",
    ]


def test_columns_named_like_parameters_are_noted_once(kit):
    """They are in the frame, and the note says how to send them."""
    frame = pd.DataFrame(
        {"prompt": ["a", "b"], "system": ["s", "t"], "temperature": [0, 1], "text": ["g", "h"]}
    )
    kept = run(kit, frame, ECHO)
    sent = run(kit, frame, ECHO, row_parameters=["system", "temperature"])

    assert notes(kept) == [
        "Columns system, temperature of your prompts are not sent (here prompt_system, "
        'prompt_temperature); pass row_parameters=["system", "temperature"] to use them as '
        "parameters.",
        "Your columns have other names in the frame: 'text' is 'prompt_text'.",
    ]
    assert kept.frame()["system"].isna().all()
    assert kept.frame()["prompt_system"].tolist() == ["s", "t"]
    assert notes(sent) == notes(kept)[1:]
    assert sent.frame()[["system", "temperature", "prompt_text"]].to_dict("list") == {
        "system": ["s", "t"], "temperature": [0.0, 1.0], "prompt_text": ["g", "h"],
    }  # fmt: skip
    assert [row.messages[0]["content"] for row in sent.rows] == ["s", "t"]
    assert sent.about["parameters"] == {"temperature": [0.0, 1.0]}


def test_a_run_may_be_the_input_of_the_next_one(kit, tmp_path):
    """All of its columns are kept, and their new names are in one note.

    Source: https://github.com/NVIDIA-NeMo/Anonymizer/issues/121 (read 2026-11-30).
    """
    first = run(kit, ["a", "b"], ECHO).frame()
    second = run(kit, first.rename(columns={"text": "answer"}), ECHO)
    frame = llmkit.load(second.to_json(tmp_path / "a.json")).frame()

    assert list(frame.columns) == list(second.frame().columns)
    assert frame["answer"].tolist() == ["a", "b"]
    assert frame["prompt_run_id"].tolist() == first["run_id"].tolist()
    assert len(notes(second)) == 2
    assert "'asked' is 'prompt_asked'" in notes(second)[1]


CELLS = st.one_of(
    st.text(), st.integers(-(2**53), 2**53), st.booleans(), st.none(),
    st.floats(allow_nan=False, allow_infinity=False), st.lists(st.text(), max_size=2),
)  # fmt: skip
LABELS = st.one_of(
    st.sampled_from(OURS), st.text(max_size=3), st.integers(0, 3), st.none(),
    st.tuples(st.sampled_from(["a", "", "prompt"]), st.text(max_size=1)),
).filter(lambda label: label not in ("prompt", ("prompt", "")))  # fmt: skip
TEXTS = st.text(min_size=1).filter(str.strip)


@given(st.data())
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_value_of_the_user_is_in_the_frame_and_in_the_file(kit, tmp_path, data):
    """Whatever the columns are called: each is a column, with its values in order."""
    labels = data.draw(st.lists(LABELS, max_size=5))
    rows = data.draw(st.lists(st.tuples(TEXTS, *[CELLS] * len(labels)), min_size=1, max_size=3))
    prompts = pd.DataFrame(rows, dtype=object)
    prompts.columns = pd.Index(["prompt", *labels], dtype=object, tupleize_cols=False)
    found = run(kit, prompts, ECHO, stop=data.draw(st.sampled_from([None, "x"])))
    again = llmkit.load(found.to_json(tmp_path / "a.json"))

    for table in (found.frame(), again.frame()):
        own = [name for name in table.columns if name not in [*BEFORE_GRID, *AFTER_GRID, "stop"]]
        wanted = sorted(column(prompts.iloc[:, i]) for i in range(1, len(labels) + 1))
        kept = sorted(column(table[name]) for name in own)
        assert kept == wanted or sorted([*kept, column(table["stop"])]) == wanted
        assert len(set(table.columns)) == len(table.columns)
    assert list(again.frame().columns) == list(found.frame().columns)


def column(values):
    """Returns *values* as one text, which is equal for equal values."""
    plain = [None if value is pd.NA or value != value else value for value in values.tolist()]
    return json.dumps([float(v) if isinstance(v, int) and not isinstance(v, bool) else v
                       for v in json.loads(json.dumps(plain, default=list))]
                      ).replace(r"\ud83d", r"\ufffd")  # fmt: skip
