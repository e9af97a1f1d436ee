"""Whether ``fernamt`` takes a command, without doing what it says."""

from collections.abc import Sequence

from typer.core import TyperGroup
from typer.main import get_command

from services.cli.main import command_line


def taken_by_the_command_line(command: Sequence[str]) -> None:
    """Raises what the command line exits with where an argument or an option is none."""
    verb, *arguments = command
    group = get_command(command_line([verb]))
    assert isinstance(group, TyperGroup)
    group.commands[verb].make_context(verb, arguments)
