"""The Helm chart: rendered by Helm, judged by the schemas of Kubernetes, by the code and by itself.

No cluster has ever taken it. What becomes of its pods as processes stands in
``test_chart_played.py``.
"""

import json
import re
import subprocess
import tomllib
from collections.abc import Mapping, Sequence
from itertools import combinations

import kubernetes_validate
import pytest
import yaml

from services.cli.running import ServiceName
from tests.deploy.command_line import taken_by_the_command_line
from tests.deploy.image import image, known_variables
from tests.extra.helm import (
    CHART,
    NAME,
    Manifest,
    arguments_of,
    component_of,
    helm,
    manifests,
    of_kind,
    pod_of,
    selects,
)
from tests.tidy.sources import ROOT

VALUES = ("", "minimal", "everything")
RELEASES = ("1.27", "1.37")
"""Of Kubernetes: the oldest that the chart admits, and the newest whose schemas are at hand."""
SECRET = re.compile(r"TOKEN|PASSWORD|_STORE_URL|_SMTP_URL")

each_way = pytest.mark.parametrize("values", VALUES)


def workloads(values: str) -> list[Manifest]:
    return of_kind(manifests(values), "Deployment", "Job")


def containers(values: str) -> list[tuple[str, Manifest]]:
    return [
        (component_of(workload), container)
        for workload in workloads(values)
        for container in pod_of(workload)["spec"]["containers"]
    ]


# --- against the schemas ------------------------------------------------------------------------


@each_way
def test_helm_has_nothing_to_say(values: str) -> None:
    done = helm("lint", "--strict", str(CHART), *arguments_of(values))
    assert done.returncode == 0, done.stdout


def _faults(all_of_them: Sequence[Manifest], release: str) -> list[str]:
    faults = []
    for manifest in all_of_them:
        try:
            kubernetes_validate.validate(manifest, release, strict=True)
        except kubernetes_validate.ValidationError as error:
            faults.append(f"{manifest['kind']} {manifest['metadata']['name']}: {error.message}")
    return faults


def _is_operators(manifest: Manifest) -> bool:
    return str(manifest["apiVersion"]).startswith("monitoring.coreos.com/")


@each_way
@pytest.mark.parametrize("release", RELEASES)
def test_kubernetes_takes_the_manifests(values: str, release: str) -> None:
    known = [manifest for manifest in manifests(values) if not _is_operators(manifest)]
    assert len(known) > 8
    assert _faults(known, release) == []


def test_kubernetes_would_not_take_a_slip_of_the_pen() -> None:
    (job,) = of_kind(_copy(manifests()), "Job")
    job["spec"]["backofLimit"] = 3
    (fault,) = _faults([job], RELEASES[-1])
    assert "backofLimit" in fault


def _faults_of_operators(all_of_them: Sequence[Manifest]) -> list[str]:
    done = subprocess.run(
        ["node", "custom_resources.mjs"],
        cwd=ROOT / "tests" / "extra",
        input=json.dumps(all_of_them),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.splitlines()


def test_the_prometheus_operator_takes_its_own() -> None:
    operators = [manifest for manifest in manifests("everything") if _is_operators(manifest)]
    assert {manifest["kind"] for manifest in operators} == {"PrometheusRule", "ServiceMonitor"}
    assert _faults_of_operators(operators) == []
    for manifest in (spoilt := _copy(operators)):
        manifest["spec"] = {"endpoints": 1, "groups": 1}
    assert len(_faults_of_operators(spoilt)) == 2


def _copy(all_of_them: Sequence[Manifest]) -> list[Manifest]:
    copy: list[Manifest] = json.loads(json.dumps(all_of_them))
    return copy


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ("services.router.replica=3", "additional properties 'replica'"),
        ("services.routr.enabled=true", "additional properties 'routr'"),
        ("nats.url=nats://router:secret@nats", "/nats/url"),
        ("sessionKeys.secret=", "/sessionKeys"),
        ("services.router.resources.limits.memory=null", "/services/router/resources/limits"),
        ("mail.secret=fernamt-mail", "mail.from: who sends the mails"),
        ("nats.url=nats://nats:4333", "networkPolicy.nats.port is 4222"),
    ],
)
def test_values_that_make_no_sense_are_refused(wrong: str, why: str) -> None:
    done = helm("template", "site", str(CHART), "--set", wrong)
    assert done.returncode != 0
    assert why in done.stderr


def _notes(values: str) -> str:
    done = helm("install", "site", str(CHART), "--dry-run=client", *arguments_of(values))
    assert done.returncode == 0, done.stderr
    return done.stdout.partition("NOTES:")[2]


def test_the_notes_say_what_is_left_open() -> None:
    for open_end in ("nats.ca is not set", "sealKey is not set"):
        assert open_end in _notes("")
        assert open_end not in _notes("everything")
    assert f"deploy/{NAME}-router -- fernamt doctor" in _notes("")


# --- against the code ---------------------------------------------------------------------------


def test_every_service_runs() -> None:
    services = {service.value for service in ServiceName}
    assert {
        component_of(each) for each in of_kind(manifests("everything"), "Deployment")
    } == services
    for name, container in containers("everything"):
        if name in services:
            assert container["args"] == ["run", name]
    left_out = services - {component_of(each) for each in of_kind(manifests(), "Deployment")}
    assert left_out == {"console"}


@each_way
def test_the_commands_are_taken_by_the_command_line(values: str) -> None:
    for _, container in containers(values):
        taken_by_the_command_line(container["args"])


@each_way
def test_the_settings_are_read_by_the_code(values: str) -> None:
    named = {each["name"] for _, container in containers(values) for each in container["env"]}
    assert len(named) > 6
    assert named <= known_variables()


@each_way
def test_the_files_named_in_settings_are_mounted(values: str) -> None:
    for workload in workloads(values):
        spec = pod_of(workload)["spec"]
        (container,) = spec["containers"]
        named = {
            each["value"] for each in container["env"] if "/etc/fernamt/" in each.get("value", "")
        }
        mounted = {
            f"{mount['mountPath']}/{item['path']}"
            for mount in container.get("volumeMounts", ())
            for volume in spec["volumes"]
            if volume["name"] == mount["name"]
            for source in volume["projected"]["sources"]
            for item in source["secret"]["items"]
        }
        named_in_the_address = {"/etc/fernamt/database-ca"}
        assert mounted - named_in_the_address == named, component_of(workload)


def test_the_image_is_ours_by_version_or_by_digest() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {container["image"] for _, container in containers("")} == {
        f"fernamt:{project['version']}"
    }
    for _, container in containers("everything"):
        assert re.fullmatch(r"registry\.example/fernamt@sha256:0{64}", container["image"])


def test_the_alerts_are_those_that_are_shipped() -> None:
    (rule,) = of_kind(manifests("everything"), "PrometheusRule")
    shipped = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yaml").read_text(encoding="utf-8"))
    assert rule["spec"] == shipped


# --- against itself -----------------------------------------------------------------------------


@each_way
def test_no_pod_may_more_than_it_needs(values: str) -> None:
    user, group = map(int, image().user.split(":"))
    for workload in workloads(values):
        spec = pod_of(workload)["spec"]
        assert spec["securityContext"] == {
            "runAsNonRoot": True,
            "runAsUser": user,
            "runAsGroup": group,
            "fsGroup": group,
            "seccompProfile": {"type": "RuntimeDefault"},
        }
        assert spec["automountServiceAccountToken"] is False
        assert spec["enableServiceLinks"] is False, "FERNAMT_CONSOLE_PORT would be an address"
        assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
        assert {*spec.get("volumes", [{}])[0]} <= {"name", "projected"}
    for _, container in containers(values):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
        assert "memory" in container["resources"]["limits"]


@each_way
def test_no_secret_stands_in_a_manifest(values: str) -> None:
    assert of_kind(manifests(values), "Secret", "ConfigMap") == []
    for _, container in containers(values):
        for each in container["env"]:
            if SECRET.search(each["name"]):
                assert each["valueFrom"]["secretKeyRef"].keys() == {"name", "key"}
            else:
                assert not re.search(r"://[^/]*:[^/]*@", each["value"])


@each_way
def test_services_are_watched_and_have_time_to_drain(values: str) -> None:
    for deployment in of_kind(manifests(values), "Deployment"):
        spec = pod_of(deployment)["spec"]
        assert spec["terminationGracePeriodSeconds"] > 10
        (container,) = spec["containers"]
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        told = {each["name"]: each.get("value") for each in container["env"]}
        assert told["FERNAMT_HEALTH_PORT"] == str(ports["health"])
        assert told.get("FERNAMT_CONSOLE_PORT", str(ports.get("http"))) == str(ports.get("http"))
        for probe, path in (("livenessProbe", "/livez"), ("readinessProbe", "/readyz")):
            assert container[probe]["httpGet"] == {"path": path, "port": "health"}
            assert container[probe]["timeoutSeconds"] > 2, "each check has two seconds"


@each_way
def test_selectors_take_their_own_and_nobody_elses(values: str) -> None:
    deployments = of_kind(manifests(values), "Deployment")
    labels = {component_of(each): pod_of(each)["metadata"]["labels"] for each in workloads(values)}
    for deployment in deployments:
        taken = [
            name for name, its in labels.items() if selects(deployment["spec"]["selector"], its)
        ]
        assert taken == [component_of(deployment)]
        (spread,) = pod_of(deployment)["spec"]["topologySpreadConstraints"]
        assert spread["labelSelector"] == deployment["spec"]["selector"]
    budgets = of_kind(manifests(values), "PodDisruptionBudget")
    assert [each["spec"]["selector"] for each in budgets] == [
        each["spec"]["selector"] for each in deployments
    ]
    names = [(each["kind"], each["metadata"]["name"]) for each in manifests(values)]
    assert [one for one, other in combinations(sorted(names), 2) if one == other] == []


def test_what_is_named_is_there() -> None:
    everything = manifests("everything")
    pods = [pod_of(each) for each in workloads("everything")]
    for service in of_kind(everything, "Service"):
        (port,) = service["spec"]["ports"]
        selector = {"matchLabels": service["spec"]["selector"]}
        assert [
            pod
            for pod in pods
            if selects(selector, pod["metadata"]["labels"])
            and port["targetPort"]
            in {its["name"] for its in pod["spec"]["containers"][0].get("ports", ())}
        ]
    (ingress,) = of_kind(everything, "Ingress")
    (rule,) = ingress["spec"]["rules"]
    backend = rule["http"]["paths"][0]["backend"]["service"]
    (console,) = (
        each
        for each in of_kind(everything, "Service")
        if each["metadata"]["name"] == backend["name"]
    )
    assert [port["name"] for port in console["spec"]["ports"]] == [backend["port"]["name"]]
    (monitor,) = of_kind(everything, "ServiceMonitor")
    (health,) = (
        each
        for each in of_kind(everything, "Service")
        if selects(monitor["spec"]["selector"], each["metadata"]["labels"])
    )
    assert health["spec"]["ports"][0]["name"] == monitor["spec"]["endpoints"][0]["port"]
    assert health["metadata"]["name"] == f"{NAME}-health"


# --- who talks to whom --------------------------------------------------------------------------

NAMES, BROKER, DATABASE = 53, 4222, 5432
MAILS_AND_WEBHOOKS = {443, 465, 587}


def _reached(values: str, direction: str) -> Mapping[str, set[int | str]]:
    """The ports that policies leave open, by the pods that they select."""
    reached = {}
    for workload in workloads(values):
        labels = pod_of(workload)["metadata"]["labels"]
        selecting = [
            policy["spec"]
            for policy in of_kind(manifests(values), "NetworkPolicy")
            if selects(policy["spec"]["podSelector"], labels)
        ]
        assert any(direction.capitalize() in spec["policyTypes"] for spec in selecting)
        reached[component_of(workload)] = {
            port["port"]
            for spec in selecting
            for rule in spec.get(direction, ())
            for port in rule["ports"]
        }
    return reached


@pytest.mark.parametrize("values", ["", "everything"])
def test_each_reaches_what_it_talks_to_and_nothing_else(values: str) -> None:
    needs: dict[str, set[int | str]] = {}
    for name, container in containers(values):
        told = {each["name"]: each.get("value", "") for each in container["env"]}
        needs[name] = {NAMES}
        needs[name] |= {BROKER} if "FERNAMT_NATS_URL" in told else set()
        needs[name] |= {DATABASE} if "FERNAMT_STORE_URL" in told else set()
        needs[name] |= MAILS_AND_WEBHOOKS if name == "notifier" else set()
        elsewhere = told.get("FERNAMT_AUTH_KEYS", ""), told.get("FERNAMT_AUTH_REVOKED", "")
        needs[name] |= {443} if any(each.startswith("https:") for each in elsewhere) else set()
    assert _reached(values, "egress") == needs


def test_each_is_reached_by_those_who_look_and_the_console_by_browsers() -> None:
    heard = _reached("everything", "ingress")
    assert heard == {
        name: {"migration": set(), "console": {"health", "http"}}.get(name, {"health"})
        for name in heard
    }
    assert set().union(*_reached("", "ingress").values()) == set()


def test_the_migration_may_talk_before_the_rest_is_there() -> None:
    hooks = {
        each["kind"]: each["metadata"]["annotations"]
        for each in manifests()
        if "helm.sh/hook" in each["metadata"].get("annotations", {})
    }
    assert hooks.keys() == {"Job", "NetworkPolicy"}
    assert {each["helm.sh/hook"] for each in hooks.values()} == {"pre-install,pre-upgrade"}
    weights = [int(hooks[kind]["helm.sh/hook-weight"]) for kind in ("NetworkPolicy", "Job")]
    assert weights == sorted(set(weights))
