"""The verb itself: start the engine, play the stories, stop it, verify its log."""

import asyncio
import signal
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import typer

from services.cli.demo import (
    by_hand,
    end_of_day,
    french,
    offers,
    second_level,
    status,
    too_slow,
)
from services.cli.demo.child import ChildFailed, ask_log, engine
from services.cli.demo.engine_clock import EngineClock
from services.cli.demo.post_office import PostOffice, post_office
from services.cli.demo.stage import Stage, StoryFailed, Town
from services.cli.demo.telling import Teller
from services.cli.serving import end_if_told
from shared.ports import NoResponders
from shared.runtime.logs import configure_logs

FAILED = 1
INTERRUPTED = 130
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Story(NamedTuple):
    """A story and the workspace it is played in."""

    workspace_id: str
    title: str
    about: str
    play: Callable[[Stage], Awaitable[None]]


STORIES = (
    Story("second-level", second_level.TITLE, second_level.ABOUT, second_level.play),
    Story("by-hand", by_hand.TITLE, by_hand.ABOUT, by_hand.play),
    Story("status", status.TITLE, status.ABOUT, status.play),
    Story("offers", offers.TITLE, offers.ABOUT, offers.play),
    Story("too-slow", too_slow.TITLE, too_slow.ABOUT, too_slow.play),
    Story("french", french.TITLE, french.ABOUT, french.play),
    Story("end-of-day", end_of_day.TITLE, end_of_day.ABOUT, end_of_day.play),
)


def demo() -> None:
    """Play seven stories on a real engine, explain each decision, and verify the log.

    Needs nothing and leaves nothing: the engine, its broker and its log live in a temporary
    directory. Exit code 1: something did not come out as it is told.
    """
    configure_logs(level="error")
    try:
        asyncio.run(_until_told_to_end())
    except asyncio.CancelledError:
        typer.echo("fernamt: interrupted", err=True)
        raise typer.Exit(INTERRUPTED) from None
    except StoryFailed as failure:
        typer.echo(f"fernamt: the story did not come out as told: {failure}", err=True)
        raise typer.Exit(FAILED) from None
    except (ChildFailed, NoResponders, LookupError, OSError) as failure:
        typer.echo(f"fernamt: {type(failure).__name__}: {failure}", err=True)
        raise typer.Exit(FAILED) from None


async def _until_told_to_end() -> None:
    """Play; Ctrl-C and its kind cancel, once, so that everything is cleaned up on the way out."""
    loop = asyncio.get_running_loop()
    playing = asyncio.create_task(_play(Teller()))

    def end() -> None:
        for number in _ENDING:
            loop.add_signal_handler(number, _clean_up_is_under_way)
        playing.cancel()

    for number in _ENDING:
        loop.add_signal_handler(number, end)
    await playing


def _clean_up_is_under_way() -> None:
    """A second Ctrl-C changes nothing: the first one's work takes a moment."""


async def _play(teller: Teller) -> None:
    with tempfile.TemporaryDirectory(prefix="fernamt-demo-") as name:
        directory = Path(name)
        clock = EngineClock(directory / "clock")
        async with (
            post_office() as post,
            engine(directory, clock_file=clock.file, settings=_settings(post)) as child,
        ):
            teller.line(
                f"The engine runs in process {child.pid}; its broker listens on {child.url}. "
                "Every desk, widget and tool below has a connection of its own.",
            )
            for number, story in enumerate(STORIES, start=1):
                teller.title(f"{number}. {story.title}", story.about)
                town = Town(child.url, clock, post)
                async with Stage(town, story.workspace_id, teller) as stage:
                    await story.play(stage)
            await child.stop()
        end_if_told()
        await _look_back(directory, teller)


def _settings(post: PostOffice) -> dict[str, str]:
    return {"FERNAMT_SMTP_URL": post.url, "FERNAMT_MAIL_FROM": "Fernamt <chat@shop.example>"}


async def _look_back(directory: Path, teller: Teller) -> None:
    """Why one decision came out as it did; and last the verdict on all stories together."""
    story = STORIES[0]
    teller.title(
        f"{len(STORIES) + 1}. Why?",
        "The engine has ended. A process that knows only its log says why chat-1 of the first "
        "story went to cleo, and what kept it from everybody else: "
        f"fernamt explain chat-1 --workspace {story.workspace_id}",
    )
    await _tell(directory, teller, "explain", "chat-1", "--workspace", story.workspace_id)
    teller.title(
        f"{len(STORIES) + 2}. Replay",
        "Another process makes every decision of all stories again, and compares: fernamt verify",
    )
    await _tell(directory, teller, "verify")


async def _tell(directory: Path, teller: Teller, *command: str) -> None:
    code, output = await ask_log(directory, *command)
    for line in output.splitlines():
        teller.line(line)
    if code != 0:
        raise ChildFailed(f"fernamt {command[0]} ended with exit code {code}")
