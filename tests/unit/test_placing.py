"""Labels beside points."""

from __future__ import annotations

from itertools import combinations

from llmkit.views.placing import Box, placed

PAGE = Box(0, 0, 400, 300)


def test_a_label_goes_right_of_its_point_where_there_is_room():
    """That is where a reader looks first."""
    (box,) = placed([(100, 100)], [(50, 10)], PAGE, gap=5)

    assert box.left > 100
    assert box.bottom < 100 < box.top


def test_a_label_at_the_right_edge_goes_left():
    """No name is cut off by the page."""
    (box,) = placed([(395, 100)], [(50, 10)], PAGE, gap=5)

    assert box.right < 395


def test_no_label_covers_another_or_a_point():
    """Twelve points in a small place have twelve names that can be read."""
    points = [(100 + 12 * (i % 4), 100 + 14 * (i // 4)) for i in range(12)]
    boxes = placed(points, [(60, 9)] * 12, PAGE, gap=4)

    assert sum(a.overlap(b) for a, b in combinations(boxes, 2)) == 0
    assert all(b.overlap(Box(x - 4, y - 4, x + 4, y + 4)) == 0 for b in boxes for x, y in points)


def test_a_label_avoids_what_must_stay_visible():
    """The line of a range is not written over."""
    line = Box(100, 99, 200, 101)
    (box,) = placed([(100, 100)], [(50, 10)], PAGE, gap=5, obstacles=[line])

    assert box.overlap(line) == 0
