"""What the Helm chart repeats of other files, which needs no Helm to compare."""

import json
import tomllib

import yaml

from services.cli.running import ServiceName
from tests.tidy.sources import ROOT

CHART = ROOT / "deploy" / "helm" / "fernamt"


def test_its_alerts_are_those_that_are_shipped() -> None:
    """A chart may read nothing outside of its directory: cp deploy/prometheus/alerts.yaml ..."""
    shipped = (ROOT / "deploy/prometheus/alerts.yaml").read_bytes()
    assert (CHART / "files" / "alerts.yaml").read_bytes() == shipped


def test_its_version_is_that_of_the_project() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {chart["version"], chart["appVersion"]} == {project["version"]}


def test_its_values_are_for_the_services_there_are() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))["properties"]
    services = {service.value for service in ServiceName}
    assert values["services"].keys() == schema["services"]["properties"].keys() == services
    assert values.keys() == schema.keys() - {"global"}
