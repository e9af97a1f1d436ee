"""``python -m services.cli``: the command ``fernamt``, also where it is not installed."""

from services.cli.main import app

app(prog_name="fernamt")
