"""``fernamt`` as it must not be: errors and libraries are logged with all that they say.

For the ablation.
"""

import logging
import sys
import traceback

import asyncpg

from services.cli.main import app
from shared.adapters import postgres_errors
from shared.ports import StoreError
from shared.runtime import logs

_safely = postgres_errors._server_said


def _with_detail(error: asyncpg.PostgresError) -> StoreError:
    said = _safely(error)
    said.args = (f"{said}: {error.args} {error.detail}",)
    return said


def _all_of_it(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


def _all_they_say(_self: logging.Handler, record: logging.LogRecord) -> None:
    sys.stderr.write(f"{record.getMessage()}\n")


def main() -> None:
    logs.LIBRARIES_LEVEL = logging.DEBUG
    vars(logs)["_Libraries"].emit = _all_they_say
    vars(logs).update(told=_all_of_it, traced=_all_of_it)
    postgres_errors._server_said = _with_detail
    app()


if __name__ == "__main__":
    main()
