"""The command ``fernamt`` and its verbs.

A verb's module is imported when that verb is called: whoever asks one question does not wait for a
web server to be loaded.
"""

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import NamedTuple

import typer


class Verb(NamedTuple):
    """Where a verb is defined, and under which heading help lists it."""

    module: str
    function: str
    heading: str


RUNNING, ASKING, LOGS, UPKEEP = "Running", "Asking why", "Logs and incidents", "Upkeep"

VERBS: Mapping[str, Verb] = {
    "up": Verb("up", "up", RUNNING),
    "demo": Verb("demo.command", "demo", RUNNING),
    "run": Verb("run", "run", RUNNING),
    "migrate": Verb("migrate", "migrate", RUNNING),
    "nats-keys": Verb("nats_keys", "nats_keys", RUNNING),
    "explain": Verb("explain", "explain", ASKING),
    "why-not": Verb("why_not", "why_not", ASKING),
    "why-waiting": Verb("why_waiting", "why_waiting", ASKING),
    "timeline": Verb("timeline", "timeline", ASKING),
    "roster": Verb("roster", "roster", ASKING),
    "queue": Verb("queue", "queue", ASKING),
    "diff": Verb("diff", "diff", ASKING),
    "find": Verb("find", "find", ASKING),
    "simulate": Verb("simulate", "simulate_policies", ASKING),
    "top": Verb("top", "top", ASKING),
    "why-not-fired": Verb("why_not_fired", "why_not_fired", ASKING),
    "verify": Verb("verify", "verify_log", LOGS),
    "export": Verb("export", "export", LOGS),
    "import": Verb("import_file", "import_file", LOGS),
    "to-test": Verb("to_test", "to_test", LOGS),
    "seal-key": Verb("seal_key", "seal_key", LOGS),
    "dead-letters": Verb("dead_letters", "dead_letters", UPKEEP),
    "erase": Verb("erase", "erase", UPKEEP),
    "doctor": Verb("doctor", "doctor", UPKEEP),
    "schemas": Verb("schemas.command", "schemas", UPKEEP),
    "metrics": Verb("metrics", "metrics", UPKEEP),
}


def app(arguments: Sequence[str] | None = None, prog_name: str | None = None) -> None:
    """Do what the command line says, by default this process's own, and exit."""
    given = sys.argv[1:] if arguments is None else arguments
    called = [verb for verb in given[:1] if verb in VERBS]
    command_line(called or VERBS)(arguments, prog_name=prog_name)


def command_line(verbs: Sequence[str] | Mapping[str, Verb]) -> typer.Typer:
    """The command with these of its verbs."""
    made = typer.Typer(
        name="fernamt",
        help="Routes chat conversations to operators, and explains every assignment.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    made.callback()(_with_verbs)
    for name in verbs:
        verb = VERBS[name]
        function = getattr(import_module(f"services.cli.{verb.module}"), verb.function)
        made.command(name, rich_help_panel=verb.heading)(function)
    return made


def _with_verbs() -> None:
    """Routes chat conversations to operators, and explains every assignment."""
