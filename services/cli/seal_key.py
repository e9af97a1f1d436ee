"""``fernamt seal-key``: the public key of the seals, to be kept elsewhere and pinned."""

import asyncio
import os

import typer

from services.archivist.sealing import KEY_FILE, KEY_NAME, key_in_file
from services.cli.opening import failing_in_words
from services.cli.options import DEFAULT_DATA, DataDir, StoreUrl, store_url
from shared.adapters.open_store import open_log
from shared.audit.seals import SealKey


def seal_key(data: DataDir = DEFAULT_DATA, store: StoreUrl = "") -> None:
    """Print the public key by which `fernamt verify --key` tells our seals from others.

    It belongs to the private key in FERNAMT_SEAL_KEY_FILE, or else to the one kept beside the log.
    """
    with failing_in_words():
        file = os.environ.get(KEY_FILE)
        key = key_in_file(file) if file else asyncio.run(_kept(store_url(store, data)))
    typer.echo(key.public.hex())


async def _kept(url: str) -> SealKey:
    log = await open_log(url, name="fernamt seal-key")
    try:
        seed = await log.service_key(KEY_NAME)
    finally:
        await log.close()
    if seed is None:
        raise ValueError("no key is kept beside this log yet: nothing was sealed")
    return SealKey.from_seed(seed)
