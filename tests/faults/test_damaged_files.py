"""Every field of every file is damaged; `python -m tests.mutations` does it in every way."""

from __future__ import annotations

import pytest

from llmkit.comparison.result import load
from tests.mutations import VALUES, changed, comparison, damage, files, json_text, show_run

pytestmark = pytest.mark.fault


@pytest.mark.parametrize("kind", ["comparison", "settings", "catalogue", "list"])
def test_every_damaged_file_can_be_shown_or_is_refused_with_its_field(tmp_path, kind):
    """Nothing that was accepted fails later."""
    outcome = damage(files(tmp_path)[kind], tmp_path, step=4)
    print(f"{kind}: {outcome}")

    assert outcome.failures == []
    assert outcome.shown > 0


@pytest.mark.parametrize(
    ("measure", "value"),
    [
        *((measure, value) for measure in ("duration_s", "cost_usd", "time_to_first_chunk_s")
          for value in ("zero", "tiny", "half", "null")),
        ("usage.output_tokens", "zero"), ("usage.output_tokens", "63 bits"),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:constrained_layout")
def test_every_accepted_number_can_be_plotted(tmp_path, measure, value):
    """Axes take the smallest and the largest numbers that a file may hold."""
    place = ("rows", 0, "completion", *measure.split("."))
    path = tmp_path / "run.json"
    path.write_text(json_text(changed(comparison(tmp_path), place, VALUES[value])))

    show_run(load(path), tmp_path, figures=True)
