"""How a team that uses the ``eventsourcing`` library tells it where its PostgreSQL is."""

from urllib.parse import urlsplit


def library_environment(postgres_url: str) -> dict[str, str]:
    """The library's settings for the database at this address."""
    parts = urlsplit(postgres_url)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": parts.path.strip("/"),
        "POSTGRES_HOST": parts.hostname or "",
        "POSTGRES_PORT": str(parts.port),
        "POSTGRES_USER": parts.username or "",
        "POSTGRES_PASSWORD": "any",
    }
