"""``fernamt metrics``: what the figures under ``/metrics`` mean, as a page to read."""

import textwrap

import typer

from shared.runtime.metrics import CATALOGUE, Metric

HEAD = """# Metrics

Written by `fernamt metrics` from the catalogue in the code. With `--health-port` every process of
`fernamt run` tells on `/metrics` those of its services, in the text format of Prometheus. Counters
begin at 0 with the process, those of notifier, archivist and presence with each term of duty, too.
No label holds an id or the name of a workspace.
"""


WIDTH = 100


def metrics() -> None:
    """Print what each metric means, and what to do where it is not as it should be."""
    typer.echo(HEAD)
    typer.echo("\n".join(map(_told, CATALOGUE)), nl=False)


def _told(metric: Metric) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels) or "none"
    kind = metric.kind.capitalize()
    said = (
        metric.meaning,
        f"{kind} in {metric.unit}; labels: {labels}; told by: {metric.told_by}.",
        f"What to do: {metric.remedy}",
    )
    return "\n\n".join((f"## {metric.name}", *map(_wrapped, said))) + "\n"


def _wrapped(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_on_hyphens=False)
