"""Metrics: declared on classes, counted on instances, shown by the registry of one server."""

import logging
import math

import pytest
from prometheus_client.parser import text_string_to_metric_families

from xmppd.metrics import MOST_SERIES, OTHER, Counter, Gauge, Histogram, Registry, declared


class Base:
    crashes = Counter("Crashes")


class Last(Base):
    answered = Counter("Last-activity queries answered")
    refused = Counter("Queries refused").by("condition")
    logins = Counter("Logins").by("mechanism", "outcome")
    depth = Gauge("Queries that wait")
    queued = Gauge("Queries in the queue", read=lambda last: len(last.queue))
    seconds = Histogram("Time to answer", (0.1, 1.0))

    def __init__(self) -> None:
        self.queue: list[str] = []


def seen(registry: Registry) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """What a scraper reads of our own metrics."""
    families = text_string_to_metric_families(registry.render().decode())
    samples = [sample for family in families for sample in family.samples]
    figures = {(s.name, frozenset(s.labels.items())): s.value for s in samples if s.name.startswith("xmppd_")}
    assert len(figures) == len([s for s in samples if s.name.startswith("xmppd_")])
    return figures


def at(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


def test_a_counter_is_counted_on_the_instance_and_seen_by_the_scraper() -> None:
    last, registry = Last(), Registry()
    registry.add(last, "last", host="a.example")
    last.answered.inc()
    last.answered.inc(2)
    assert seen(registry)[at("xmppd_last_answered_total", host="a.example")] == 3


def test_what_never_happened_is_seen_as_nought() -> None:
    registry = Registry()
    registry.add(Last(), "last")
    assert seen(registry)[at("xmppd_last_answered_total")] == 0


def test_what_was_counted_before_the_registry_knew_is_kept() -> None:
    last, registry = Last(), Registry()
    last.answered.inc()
    registry.add(last, "last")
    assert seen(registry)[at("xmppd_last_answered_total")] == 1


def test_instances_count_apart_and_show_as_one_family() -> None:
    a, b, registry = Last(), Last(), Registry()
    registry.add(a, "last", host="a.example")
    registry.add(b, "last", host="b.example")
    a.answered.inc()
    figures = seen(registry)
    assert figures[at("xmppd_last_answered_total", host="a.example")] == 1
    assert figures[at("xmppd_last_answered_total", host="b.example")] == 0
    assert registry.render().count(b"# TYPE xmppd_last_answered_total counter") == 1


def test_two_servers_in_one_process_see_only_their_own() -> None:
    one, two = Registry(), Registry()
    one.add(Last(), "last")
    assert at("xmppd_last_answered_total") in seen(one)
    assert not seen(two)


def test_after_the_first_use_counting_passes_no_descriptor() -> None:
    last = Last()
    first = last.answered
    assert vars(last)["answered"] is first
    assert last.answered is first


def test_inherited_metrics_are_seen_too() -> None:
    last, registry = Last(), Registry()
    registry.add(last, "last")
    last.crashes.inc()
    assert seen(registry)[at("xmppd_last_crashes_total")] == 1


def test_a_gauge_goes_up_and_down() -> None:
    last, registry = Last(), Registry()
    registry.add(last, "last")
    last.depth.set(5)
    last.depth.inc()
    last.depth.dec(3)
    assert seen(registry)[at("xmppd_last_depth")] == 3


def test_a_gauge_that_reads_is_asked_at_each_scrape() -> None:
    last, registry = Last(), Registry()
    registry.add(last, "last")
    assert seen(registry)[at("xmppd_last_queued")] == 0
    last.queue.append("a query")
    assert seen(registry)[at("xmppd_last_queued")] == 1


def test_a_gauge_that_cannot_be_read_hides_no_other(caplog: pytest.LogCaptureFixture) -> None:
    last, registry = Last(), Registry()
    registry.add(last, "last")
    del last.queue
    with caplog.at_level(logging.ERROR):
        figures = seen(registry)
    assert math.isnan(figures[at("xmppd_last_queued")])
    assert figures[at("xmppd_last_depth")] == 0
    assert "AttributeError" in caplog.text


def test_a_metric_is_split_by_one_label() -> None:
    last, registry = Last(), Registry()
    registry.add(last, "last", host="a.example")
    last.refused["forbidden"].inc()
    last.refused["forbidden"].inc()
    last.refused["item-not-found"].inc()
    figures = seen(registry)
    assert figures[at("xmppd_last_refused_total", host="a.example", condition="forbidden")] == 2
    assert figures[at("xmppd_last_refused_total", host="a.example", condition="item-not-found")] == 1


def test_a_metric_is_split_by_two_labels() -> None:
    last, registry = Last(), Registry()
    registry.add(last, "last")
    last.logins["PLAIN", "ok"].inc()
    assert seen(registry)[at("xmppd_last_logins_total", mechanism="PLAIN", outcome="ok")] == 1


def test_label_values_without_end_share_one_series() -> None:
    last, registry = Last(), Registry()
    registry.add(last, "last")
    for number in range(MOST_SERIES + 50):
        last.refused[f"made up {number}"].inc()
    assert len(last.refused) == MOST_SERIES + 1
    assert seen(registry)[at("xmppd_last_refused_total", condition=OTHER)] == 50


def test_a_histogram_counts_into_every_bucket_above() -> None:
    last, registry = Last(), Registry()
    registry.add(last, "last")
    for seconds in (0.05, 0.1, 0.5, 7):
        last.seconds.observe(seconds)
    figures = seen(registry)
    buckets = [figures[at("xmppd_last_seconds_bucket", le=bound)] for bound in ("0.1", "1.0", "+Inf")]
    assert buckets == [2, 3, 4]
    assert figures[at("xmppd_last_seconds_count")] == 4
    assert figures[at("xmppd_last_seconds_sum")] == pytest.approx(7.65)


def test_a_removed_instance_is_seen_no_more_and_may_come_back() -> None:
    last, registry = Last(), Registry()
    registry.add(last, "last")
    registry.remove(last)
    registry.remove(last)
    assert not seen(registry)
    registry.add(last, "last")
    assert seen(registry)


def test_two_instances_that_nothing_tells_apart_are_refused() -> None:
    registry = Registry()
    registry.add(Last(), "last", host="a.example")
    with pytest.raises(ValueError, match="add a label that differs"):
        registry.add(Last(), "last", host="a.example")


def test_a_module_named_by_its_path_has_a_legal_name() -> None:
    registry = Registry()
    registry.add(Last(), "xmppd.extensions.roster-notes")
    assert at("xmppd_xmppd_extensions_roster_notes_answered_total") in seen(registry)


def test_declarations_are_listed_without_an_instance() -> None:
    listed = declared(Last)
    assert {name: metric.kind for name, metric in listed.items()} == {
        "crashes": "counter",
        "answered": "counter",
        "refused": "counter",
        "logins": "counter",
        "depth": "gauge",
        "queued": "gauge",
        "seconds": "histogram",
    }
    assert listed["answered"].doc == "Last-activity queries answered"


def test_the_process_is_measured_too() -> None:
    assert b"process_cpu_seconds_total" in Registry().render()
