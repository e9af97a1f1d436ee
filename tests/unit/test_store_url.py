"""Addresses of stores: what they mean, and that a wrong one is told what is wrong with it."""

from pathlib import Path

import pytest

from shared.adapters.open_store import open_store, parse_store_url

PASSWORD = "".join(["sesame", "42"])


@pytest.mark.parametrize(
    ("url", "directory"),
    [
        ("sqlite:///data", "data"),
        ("sqlite:///./data/here", "data/here"),
        ("sqlite:////var/lib/fernamt", "/var/lib/fernamt"),
        ("sqlite:///with%20space", "with space"),
    ],
)
def test_a_directory_is_written_after_three_slashes(url: str, directory: str) -> None:
    assert parse_store_url(url).directory == Path(directory)
    assert parse_store_url(url).postgres_url is None


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://db.example/fernamt",
        "postgres://fernamt@[::1]:5432/fernamt?sslmode=require",
        "postgresql://one.example:5432,two.example:5433/fernamt",
        "postgresql:///fernamt?host=/run/postgresql",
    ],
)
def test_a_server_is_left_to_its_driver(url: str) -> None:
    assert parse_store_url(url) == (url, None)


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("", "no scheme"),
        ("data", "no scheme"),
        ("/var/lib/fernamt", "no scheme"),
        ("mysql://db.example/fernamt", "no store of the kind 'mysql'"),
        ("sqlite:", "names no directory"),
        ("sqlite:///", "names no directory"),
        ("sqlite://data", "names a host"),
        ("postgresql://db.example", "names no database"),
        ("postgresql://db.example/", "names no database"),
        ("postgresql://[db.example/fernamt", "cannot be taken apart"),
        (f"postgresql://fernamt:{PASSWORD}@db.example:port/fernamt", "cannot be used"),
        (f"postgresql://fernamt:{PASSWORD}@db.example/fernamt?sslmode=maybe", "cannot be used"),
    ],
)
async def test_a_wrong_address_is_told_what_is_wrong(url: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault) as caught:
        await open_store(url)
    assert PASSWORD not in str(caught.value)
