"""Figures as Prometheus reads them, read by its own parser."""

import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from shared.runtime import metrics
from shared.runtime.exposition import exposed
from shared.runtime.figures import POWERS, Figure, Times


def samples(*figures: Figure) -> list[Sample]:
    page = exposed(figures).decode()
    families = list(text_string_to_metric_families(page))
    return [s for f in families for s in f.samples if s.name.startswith("fernamt_")]


def test_counters_and_gauges_have_their_labels() -> None:
    told = samples(
        Figure(metrics.ANSWERS, 7, ("router", "answered")),
        Figure(metrics.ANSWERS, 2, ("router", "overloaded")),
        Figure(metrics.STUCK, 0),
    )
    assert [(s.name, s.labels, s.value) for s in told] == [
        ("fernamt_answers_total", {"service": "router", "outcome": "answered"}, 7),
        ("fernamt_answers_total", {"service": "router", "outcome": "overloaded"}, 2),
        ("fernamt_conversations_stuck", {}, 0),
    ]


def test_what_is_counted_in_several_places_is_added_up() -> None:
    once = Figure(metrics.ANSWERS, 3, ("notifier", "answered"))
    (told,) = samples(once, once)
    assert told.value == 6


@pytest.mark.parametrize(
    ("ms", "bound"),
    [
        (0, "0.001"),
        (1, "0.002"),
        (2, "0.004"),
        (3, "0.004"),
        (4, "0.008"),
        (1_000, "1.024"),
        (-5, "0.001"),
    ],
)
def test_a_time_is_in_the_first_bucket_that_is_longer(ms: int, bound: str) -> None:
    times = Times()
    times.add(ms)
    told = samples(Figure(metrics.COMMIT_TIME, times))
    buckets = [(s.labels["le"], s.value) for s in told if s.name.endswith("_bucket")]
    assert next(le for le, count in buckets if count) == bound
    assert float(bound) * 1_000 > ms


def test_buckets_add_up_and_the_longest_times_have_one_too() -> None:
    times = Times()
    for ms in (0, 5, 5, 2**POWERS, 2 ** (POWERS + 5)):
        times.add(ms)
    told = samples(Figure(metrics.COMMIT_TIME, times))
    counts = [s.value for s in told if s.name.endswith("_bucket")]
    assert counts == sorted(counts)
    assert counts[-2:] == [3, 5]
    by_name = {s.name: s.value for s in told if not s.name.endswith("_bucket")}
    assert by_name["fernamt_commit_seconds_count"] == 5
    assert by_name["fernamt_commit_seconds_sum"] == times.sum_ms / 1_000


def test_the_process_is_told_of_and_no_registry_is_left_with_anything() -> None:
    page = exposed([]).decode()
    assert "process_resident_memory_bytes" in page
    assert exposed([]).decode().count("# TYPE process_resident_memory_bytes") == 1
