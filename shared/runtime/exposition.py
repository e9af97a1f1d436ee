"""Figures as Prometheus reads them."""

from collections.abc import Iterable, Iterator, Sequence

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from shared.runtime import metrics
from shared.runtime.figures import POWERS, Figure, Times

CONTENT_TYPE = CONTENT_TYPE_LATEST


def exposed(figures: Iterable[Figure]) -> bytes:
    """The page. Beside ours it has what the client library tells of any process.

    The registry is this page's own: nothing is registered anywhere, and nothing is left behind.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Told(list(figures)))
    ProcessCollector(registry=registry)
    return generate_latest(registry)


class _Told(Collector):
    def __init__(self, figures: Sequence[Figure]) -> None:
        self._by_metric: dict[metrics.Metric, list[Figure]] = {}
        for figure in figures:
            self._by_metric.setdefault(figure.metric, []).append(figure)

    def collect(self) -> Iterator[Metric]:
        for metric, figures in self._by_metric.items():
            yield _family(metric, figures)


def _family(metric: metrics.Metric, figures: Sequence[Figure]) -> Metric:
    described = metric.name, metric.meaning
    if metric.kind == "histogram":
        times = HistogramMetricFamily(*described, labels=metric.labels)
        for figure in figures:
            assert isinstance(figure.value, Times)
            times.add_metric(figure.labels, _buckets(figure.value), figure.value.sum_ms / 1_000)
        return times
    of_kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    family = of_kind(*described, labels=metric.labels)
    for labels, number in _added_up(figures).items():
        family.add_metric(labels, number)
    return family


def _added_up(figures: Sequence[Figure]) -> dict[tuple[str, ...], float]:
    """By labels: a service may count the same in several places."""
    numbers: dict[tuple[str, ...], float] = {}
    for figure in figures:
        assert not isinstance(figure.value, Times)
        numbers[figure.labels] = numbers.get(figure.labels, 0) + figure.value
    return numbers


def _buckets(times: Times) -> list[tuple[str, int]]:
    """Each bound in seconds, with how many took less."""
    bounds = [f"{2**power / 1_000:g}" for power in range(POWERS + 1)]
    buckets, upto = [], 0
    for bound, count in zip([*bounds, "+Inf"], times.counts, strict=True):
        upto += count
        buckets.append((bound, upto))
    return buckets
