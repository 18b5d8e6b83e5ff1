"""Where labels go beside points, so that they cover neither points nor each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# Right of the point first, where a reader looks; then around it, and farther off.
SIDES = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1))
STEPS = (1.0, 2.0, 3.2, 4.6, 6.4, 8.5)


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle, y upwards."""

    left: float
    bottom: float
    right: float
    top: float

    def overlap(self, other: Box) -> float:
        """The area that both cover."""
        wide = min(self.right, other.right) - max(self.left, other.left)
        high = min(self.top, other.top) - max(self.bottom, other.bottom)
        return max(wide, 0.0) * max(high, 0.0)

    def outside(self, frame: Box) -> float:
        """The area that *frame* does not cover."""
        whole = (self.right - self.left) * (self.top - self.bottom)
        return whole - self.overlap(frame)


def placed(
    points: Sequence[tuple[float, float]],
    sizes: Sequence[tuple[float, float]],
    frame: Box,
    *,
    gap: float,
    obstacles: Sequence[Box] = (),
) -> list[Box]:
    """A place for a label of each size beside its point, one after another.

    The first place that is free is taken; where none is, the one that covers the least.

    Args:
        gap: From a point to its label; points are taken to be as wide.
        obstacles: What else must stay visible.
    """
    dots = [Box(x - gap, y - gap, x + gap, y + gap) for x, y in points]
    taken = [*dots, *obstacles]
    found = []
    for point, size in zip(points, sizes, strict=True):
        best = min(
            enumerate(_candidates(point, size, gap)),
            key=lambda i: (sum(i[1].overlap(t) for t in taken) + 4 * i[1].outside(frame), i[0]),
        )[1]
        taken.append(best)
        found.append(best)
    return found


def _candidates(point: tuple[float, float], size: tuple[float, float], gap: float) -> Iterator[Box]:
    (x, y), (wide, high) = point, size
    for step in STEPS:
        for across, up in SIDES:
            far = 1.3 * gap * step
            left = x + across * far - wide * (1 - across) / 2
            bottom = y + up * far - high * (1 - up) / 2
            yield Box(left, bottom, left + wide, bottom + high)
