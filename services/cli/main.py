"""The command ``fernamt`` and its verbs."""

import typer

from services.cli import (
    dead_letters,
    erase,
    export,
    import_file,
    migrate,
    run,
    schemas,
    seal_key,
    simulate,
    to_test,
    up,
    verify,
    why_not_fired,
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
