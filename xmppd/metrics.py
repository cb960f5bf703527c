"""Counters, gauges and histograms: declared on a class, counted on its instances, collected for one server.

    class Last(Module):
        answered = Counter("Last-activity queries answered")
        waiting = Gauge("Queries that wait for storage", read=lambda last: len(last.queue))
        refused = Counter("Last-activity queries refused").by("condition")

    self.answered.inc()
    self.refused["forbidden"].inc()

An instance counts from its first use; its figures are seen once `Registry.add` knows it. Counting is for the one
thread that runs the server's loop.
"""

from __future__ import annotations

import logging
import re
from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Protocol, Self, TypeVar, overload

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric
    from prometheus_client.registry import CollectorRegistry

log = logging.getLogger(__name__)

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"  # of what `Registry.render` returns
MOST_SERIES: Final = 1000  # of one split metric; a label value that a stranger can choose must not eat the memory
OTHER: Final = "other"  # the label value that stands for all beyond them
SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

Sample = tuple[str, dict[str, str], float]  # suffix of the name, labels, value


class Series(Protocol):
    """One thing counted: yields its samples when it is asked."""

    def samples(self) -> Iterable[Sample]: ...


V = TypeVar("V", bound=Series)


class Count:
    """A number that only grows."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: float = 0

    def inc(self, by: float = 1) -> None:
        self.value += by

    def samples(self) -> Iterable[Sample]:
        return [("_total", {}, self.value)]


class Level:
    """A number that goes up and down, or one that is read when somebody asks."""

    __slots__ = ("_read", "value")

    def __init__(self, read: Callable[[], float] | None = None) -> None:
        self.value: float = 0
        self._read = read

    def set(self, value: float) -> None:
        self.value = value

    def inc(self, by: float = 1) -> None:
        self.value += by

    def dec(self, by: float = 1) -> None:
        self.value -= by

    def samples(self) -> Iterable[Sample]:
        if self._read is not None:
            try:
                self.value = self._read()
            except Exception:  # one module's mistake must not hide the figures of all others
                log.exception("a gauge cannot be read")
                self.value = float("nan")
        return [("", {}, self.value)]


class Spread:
    """How many observations fell below each bound, and their sum."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum: float = 0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def samples(self) -> Iterable[Sample]:
        running = list(accumulate(self.counts))
        for bound, count in zip((*map(str, self.bounds), "+Inf"), running, strict=True):
            yield "_bucket", {"le": bound}, count
        yield "_count", {}, running[-1]
        yield "_sum", {}, self.sum


class Split(dict[str | tuple[str, ...], V]):
    """One series for each value of the labels, made on first use; beyond `MOST_SERIES` all share one."""

    def __init__(self, labels: tuple[str, ...], make: Callable[[], V]) -> None:
        super().__init__()
        self._labels, self._make = labels, make

    def __missing__(self, key: str | tuple[str, ...]) -> V:
        if len(self) >= MOST_SERIES:
            key = OTHER if len(self._labels) == 1 else (OTHER,) * len(self._labels)
            if key in self:
                return self[key]
        return self.setdefault(key, self._make())

    def samples(self) -> Iterable[Sample]:
        for key, series in self.items():
            values = (key,) if isinstance(key, str) else key
            for suffix, labels, value in series.samples():
                yield suffix, dict(zip(self._labels, values, strict=True)) | labels, value


class Declared(Generic[V], ABC):
    """A metric as a class attribute: the declaration on the class, the figures (a `V`) on each instance."""

    kind: ClassVar[str]
    doc: str
    name = ""

    def __init__(self, doc: str) -> None:
        self.doc = doc

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> V: ...
    def __get__(self, instance: object | None, owner: type) -> Self | V:
        if instance is None:
            return self
        # From now on the instance's own attribute hides this descriptor: counting costs a plain look-up.
        return instance.__dict__.setdefault(self.name, self.make(instance))  # type: ignore[no-any-return]

    @abstractmethod
    def make(self, instance: Any) -> V:
        """Figures at nought."""

    def by(self, *labels: str) -> By[V]:
        """The same, split by labels: `self.refused["forbidden"].inc()`, `self.logins["PLAIN", "ok"].inc()`."""
        return By(self, labels)


class By(Declared[Split[V]]):
    """A metric split by labels."""

    def __init__(self, each: Declared[V], labels: tuple[str, ...]) -> None:
        super().__init__(each.doc)
        self.kind = each.kind  # type: ignore[misc]
        self._each, self._labels = each, labels

    def make(self, instance: Any) -> Split[V]:
        return Split(self._labels, lambda: self._each.make(instance))


class Counter(Declared[Count]):
    """A number that only grows: `inc()`."""

    kind = "counter"

    def make(self, instance: Any) -> Count:
        return Count()


class Gauge(Declared[Level]):
    """A number that goes up and down: `set()`, `inc()`, `dec()`; or `read`, called with the instance at each scrape."""

    kind = "gauge"

    def __init__(self, doc: str, *, read: Callable[[Any], float] | None = None) -> None:
        super().__init__(doc)
        self._read = read

    def make(self, instance: Any) -> Level:
        read = self._read
        return Level(None if read is None else lambda: read(instance))


class Histogram(Declared[Spread]):
    """How observations spread over buckets: `observe()`; the bounds are seconds unless said otherwise."""

    kind = "histogram"

    def __init__(self, doc: str, bounds: Iterable[float] = SECONDS) -> None:
        super().__init__(doc)
        self._bounds = tuple(sorted(bounds))

    def make(self, instance: Any) -> Spread:
        return Spread(self._bounds)


def declared(owner: type) -> dict[str, Declared[Any]]:
    """The metrics that a class and its bases declare, by attribute name; needs no instance."""
    return {
        name: value
        for base in reversed(owner.__mro__)
        for name, value in vars(base).items()
        if isinstance(value, Declared)
    }


@dataclass(frozen=True)
class _Source:
    instance: object
    room: str
    labels: Mapping[str, str]


class Registry:
    """The metrics of one server; two servers in a process have one each."""

    def __init__(self) -> None:
        self._sources: dict[int, _Source] = {}

    def add(self, instance: object, room: str, /, **labels: str) -> None:
        """Let the instance's metrics be seen, as `xmppd_<room>_<attribute>`, each with these labels.

        `ValueError` where an instance of the same room and labels is there already: one would hide the other.
        """
        room = re.sub(r"\W", "_", room)
        if any(source.room == room and source.labels == labels for source in self._sources.values()):
            raise ValueError(f"metrics of {room!r} with labels {labels} are added already; add a label that differs")
        self._sources[id(instance)] = _Source(instance, room, labels)

    def remove(self, instance: object) -> None:
        """Forget the instance; nothing happens where it is unknown."""
        self._sources.pop(id(instance), None)

    def collect(self) -> Iterator[Metric]:
        """Each metric once, with the samples of all instances: a collector in prometheus-client's sense."""
        from prometheus_client.metrics_core import Metric  # on the first scrape: it costs 60 ms and 4 MB

        families: dict[str, Metric] = {}
        for source in self._sources.values():
            for name, metric in declared(type(source.instance)).items():
                full = f"xmppd_{source.room}_{name}"
                family = families.setdefault(full, Metric(full, metric.doc, metric.kind))
                for suffix, labels, value in getattr(source.instance, name).samples():
                    family.add_sample(full + suffix, {**source.labels, **labels}, value)
        yield from families.values()

    def render(self) -> bytes:
        """Prometheus' text format, of `CONTENT_TYPE`: all metrics and the process's own (CPU, memory, files)."""
        from prometheus_client.exposition import generate_latest

        return generate_latest(self._prometheus)

    @cached_property
    def _prometheus(self) -> CollectorRegistry:
        from prometheus_client.process_collector import ProcessCollector
        from prometheus_client.registry import CollectorRegistry

        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        ProcessCollector(registry=registry)
        return registry
