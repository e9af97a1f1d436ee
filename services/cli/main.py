"""The command ``fernamt`` and its verbs."""

import typer

from services.cli import (
    dead_letters,
    diff,
    erase,
    explain,
    export,
    find,
    import_file,
    migrate,
    queue,
    roster,
    run,
    schemas,
    seal_key,
    simulate,
    timeline,
    to_test,
    up,
    verify,
    why_not,
    why_not_fired,
    why_waiting,
)
from services.cli.demo.command import demo

app = typer.Typer(
    name="fernamt",
    help="Routes chat conversations to operators, and explains every assignment.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("up")(up.up)
app.command("run")(run.run)
app.command("demo")(demo)
app.command("explain")(explain.explain)
app.command("why-not")(why_not.why_not)
app.command("why-waiting")(why_waiting.why_waiting)
app.command("timeline")(timeline.timeline)
app.command("roster")(roster.roster)
app.command("queue")(queue.queue)
app.command("diff")(diff.diff)
app.command("find")(find.find)
app.command("verify")(verify.verify_log)
app.command("export")(export.export)
app.command("import")(import_file.import_file)
app.command("to-test")(to_test.to_test)
app.command("simulate")(simulate.simulate_policies)
app.command("seal-key")(seal_key.seal_key)
app.command("dead-letters")(dead_letters.dead_letters)
app.command("erase")(erase.erase)
app.command("why-not-fired")(why_not_fired.why_not_fired)
app.command("migrate")(migrate.migrate)
app.command("schemas")(schemas.schemas)
