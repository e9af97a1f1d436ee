"""``deploy/README.md`` names what there is."""

import re

import yaml

from services.cli.main import VERBS
from tests.deploy.composition import DEPLOY, FILE
from tests.tidy.sources import ROOT

PAGE = DEPLOY / "README.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_links_lead_to_files() -> None:
    targets = re.findall(r"\]\(([^)#]+)(?:#[\w-]+)?\)", TEXT)
    assert len(targets) > 8
    assert [target for target in targets if not (DEPLOY / target).exists()] == []


def test_the_commands_it_names_exist() -> None:
    verbs = re.findall(r"\bfernamt ([a-z]+(?:-[a-z]+)*)(?= |\n|`)", _code())
    assert {"nats-keys", "doctor"} <= set(verbs) <= set(VERBS)
    named = re.findall(r"docker compose (?:run --rm|exec) (\w+)", _code())
    assert set(named) <= yaml.safe_load(FILE.read_text(encoding="utf-8"))["services"].keys()
    assert [
        file for file in re.findall(r"sh ([\w./]+\.sh)", _code()) if not (DEPLOY / file).exists()
    ] == []
    targets = re.findall(r"make ([a-z-]+)", _code())
    assert [
        target for target in targets if f"\n{target}:" not in (ROOT / "Makefile").read_text()
    ] == []


def test_the_secrets_it_has_made_are_those_of_the_chart() -> None:
    values = yaml.safe_load((DEPLOY / "helm/fernamt/values.yaml").read_text(encoding="utf-8"))
    database, session_keys = values["database"], values["sessionKeys"]
    made = {
        name: set(re.findall(r"--from-\w+=(\w+)=", rest))
        for name, rest in re.findall(
            r"kubectl create secret generic (\S+)((?:.*\\\n)*.*)", _code(), re.MULTILINE
        )
    }
    assert made == {
        values["nats"]["keys"]: set(),
        session_keys["secret"]: {session_keys["key"]},
        database["secret"]: {database["owner"], database["services"], database["auditor"]},
    }


def _code() -> str:
    """Everything in code blocks and backticks."""
    blocks = re.findall(r"^```\w*\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    return "\n".join([*blocks, *re.findall(r"`[^`\n]+`", TEXT)])
