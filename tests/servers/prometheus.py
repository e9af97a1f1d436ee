"""A real Prometheus, which looks at real pages every second; and its own checker of rules."""

import shutil
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.servers.postgres import free_port
from tests.servers.waiting import until


def tool(name: str) -> str:
    """Where the program is. Raises ``FileNotFoundError`` that says what is missing."""
    found = shutil.which(name)
    if found is None:
        raise FileNotFoundError(f"{name} is not on PATH: install Debian's package `prometheus`")
    return found


def checked(rules: Path) -> subprocess.CompletedProcess[str]:
    """What Prometheus' own checker says of a file of rules."""
    return subprocess.run(
        [tool("promtool"), "check", "rules", str(rules)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class Prometheus:
    """Answers questions over its HTTP interface."""

    def __init__(self, url: str) -> None:
        self._url = url

    def ask(self, expression: str) -> Sequence[Mapping[str, Any]]:
        """The series of the answer now. Raises ``ValueError`` with its words if it refuses."""
        data = self._get("query", query=expression)
        series: Sequence[Mapping[str, Any]] = data["result"]
        return series

    def rules(self) -> Sequence[Mapping[str, Any]]:
        """All rules, with their health and state."""
        groups = self._get("rules")["groups"]
        return [rule for group in groups for rule in group["rules"]]

    def _get(self, what: str, **parameters: str) -> Mapping[str, Any]:
        answer = httpx.get(f"{self._url}/api/v1/{what}", params=parameters, timeout=30).json()
        if answer["status"] != "success":
            raise ValueError(answer["error"])
        data: Mapping[str, Any] = answer["data"]
        return data


@asynccontextmanager
async def prometheus(
    directory: Path, pages: Sequence[str], rules: Path
) -> AsyncIterator[Prometheus]:
    """One that looks at these pages (``http://HOST:PORT/``) and knows these rules."""
    address = f"127.0.0.1:{free_port()}"
    log = directory / "prometheus.log"
    process = _started(directory, _config(pages, rules), address, log)

    async def ready() -> bool:
        if process.poll() is not None:
            raise RuntimeError(f"Prometheus has ended:\n{log.read_text()}")
        try:
            async with httpx.AsyncClient(timeout=1) as client:
                return (await client.get(f"http://{address}/-/ready")).is_success
        except httpx.TransportError:
            return False

    try:
        await until("Prometheus is ready", ready)
        yield Prometheus(f"http://{address}")
    finally:
        process.terminate()
        process.wait(30)


def _config(pages: Sequence[str], rules: Path) -> Mapping[str, Any]:
    targets = [page.removeprefix("http://").rstrip("/") for page in pages]
    return {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(rules)],
        "scrape_configs": [{"job_name": "fernamt", "static_configs": [{"targets": targets}]}],
    }


def _started(
    directory: Path, config: Mapping[str, Any], address: str, log: Path
) -> "subprocess.Popen[bytes]":
    file = directory / "prometheus.yml"
    file.write_text(yaml.safe_dump(config))
    with log.open("w") as stderr:
        return subprocess.Popen(
            [
                tool("prometheus"),
                f"--config.file={file}",
                f"--storage.tsdb.path={directory}/tsdb",
                f"--web.listen-address={address}",
            ],
            stdout=stderr,
            stderr=stderr,
        )
