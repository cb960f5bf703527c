"""Draws figures against sizes as an SVG, both axes logarithmic."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

Line = Sequence[tuple[float, float]]
"""Points of one line: size and figure."""

_WIDTH, _HEIGHT, _MARGIN = 420, 300, 52
_LEGEND, _NAME = 20, 160  # height of the names' line, and the width of one
_COLOURS = ("#1b6ac9", "#d1742a", "#3a8f4d", "#8a4fb0", "#777777")


@dataclass(frozen=True)
class Panel:
    """One drawing: a line for each name."""

    title: str
    lines: Mapping[str, Line]


def svg(panels: Sequence[Panel], across: str) -> str:
    """The panels side by side, with the same lines in each; `across` says what the sizes are."""
    drawn = "".join(_panel(panel, index * _WIDTH, across) for index, panel in enumerate(panels))
    drawn += _legend([*dict.fromkeys(name for panel in panels for name in panel.lines)])
    size = f"width='{_WIDTH * len(panels)}' height='{_HEIGHT + _LEGEND}'"
    frame = "<rect width='100%' height='100%' fill='white'/>"
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' {size} font-family='sans-serif' font-size='11'>{frame}{drawn}</svg>\n"
    )


def _panel(panel: Panel, left: float, across: str) -> str:
    points = [point for line in panel.lines.values() for point in line]
    x = _Axis([point[0] for point in points], _MARGIN, _WIDTH - 16)
    y = _Axis([point[1] for point in points], _HEIGHT - _MARGIN, 28)
    parts = [_text(_WIDTH / 2, 16, panel.title), _text(_WIDTH / 2, _HEIGHT - 14, across)]
    parts += [
        _text(x.at(tick), _HEIGHT - _MARGIN + 15, f"{tick:g}") + _rule(x.at(tick), 28, "V", _HEIGHT - _MARGIN)
        for tick in x.ticks()
    ]
    parts += [
        _text(_MARGIN - 5, y.at(tick) + 4, f"{tick:g}", "end") + _rule(_MARGIN, y.at(tick), "H", _WIDTH - 16)
        for tick in y.ticks()
    ]
    for index, line in enumerate(panel.lines.values()):
        colour = _COLOURS[index % len(_COLOURS)]
        path = " ".join(f"{x.at(size):.1f},{y.at(figure):.1f}" for size, figure in line)
        parts.append(f"<polyline points='{path}' fill='none' stroke='{colour}' stroke-width='2'/>")
    return f"<g transform='translate({left},0)'>{''.join(parts)}</g>"


def _legend(names: Sequence[str]) -> str:
    return "".join(
        _text(_MARGIN + index * _NAME, _HEIGHT + _LEGEND / 2, f"— {name}", "start", _COLOURS[index % len(_COLOURS)])
        for index, name in enumerate(names)
    )


class _Axis:
    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        self._low = 10.0 ** math.floor(math.log10(min(values)))
        self._high = 10.0 ** math.ceil(math.log10(max(values) * 1.01))
        self._start, self._end = start, end

    def at(self, value: float) -> float:
        share = math.log10(value / self._low) / math.log10(self._high / self._low)
        return self._start + share * (self._end - self._start)

    def ticks(self) -> list[float]:
        decades = round(math.log10(self._high / self._low))
        return [self._low * 10**power for power in range(decades + 1)]


def _text(x: float, y: float, text: str, anchor: str = "middle", colour: str = "#333") -> str:
    return f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}' fill='{colour}'>{escape(text)}</text>"


def _rule(x: float, y: float, way: str, to: float) -> str:
    return f"<path d='M{x:.1f} {y:.1f}{way}{to:.1f}' stroke='#ddd'/>"
