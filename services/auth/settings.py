"""What the environment says about session tokens and the key that answers are signed with."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from services.auth.sessions import Expected
from services.auth.user_jwt import Issuer

ISSUER_FILE = "FERNAMT_AUTH_ISSUER_FILE"
KEYS = "FERNAMT_AUTH_KEYS"
AUDIENCE = "FERNAMT_AUTH_AUDIENCE"
TOKEN_ISSUER = "FERNAMT_AUTH_TOKEN_ISSUER"  # noqa: S105 - the name of it
REVOKED = "FERNAMT_AUTH_REVOKED"
REFRESH_S = "FERNAMT_AUTH_REFRESH_S"

DEFAULT_AUDIENCE = "fernamt"
DEFAULT_REFRESH_S = 300


class Settings(msgspec.Struct, frozen=True):
    """``keys`` and ``revoked`` are files or https addresses, read every ``refresh_s`` seconds.

    Without ``revoked``, tokens hold until they expire.
    """

    issuer: Issuer
    keys: str
    expected: Expected
    revoked: str
    refresh_s: int = DEFAULT_REFRESH_S


def settings_from(environment: Mapping[str, str]) -> Settings:
    """The settings of this process. Raises ``ValueError`` that names the variable."""
    keys = environment.get(KEYS, "")
    if not keys:
        raise ValueError(f"{KEYS}: a file or an https address with the chat platform's public keys")
    return Settings(
        _issuer(environment.get(ISSUER_FILE, "")),
        keys,
        Expected(
            environment.get(AUDIENCE, "") or DEFAULT_AUDIENCE, environment.get(TOKEN_ISSUER, "")
        ),
        environment.get(REVOKED, ""),
        _seconds(environment.get(REFRESH_S, "")),
    )


def _issuer(file: str) -> Issuer:
    if not file:
        raise ValueError(f"{ISSUER_FILE}: the file issuer.nk that `fernamt nats-keys` has made")
    try:
        return Issuer(Path(file).read_bytes())
    except OSError as error:
        raise ValueError(f"{ISSUER_FILE}: {file}: {error.strerror}") from error
    except ValueError as error:
        raise ValueError(f"{ISSUER_FILE}: {file}: {error}") from error


def _seconds(text: str) -> int:
    if not text:
        return DEFAULT_REFRESH_S
    if not (text.isdecimal() and 1 <= int(text) <= 86_400):
        raise ValueError(f"{REFRESH_S}: seconds are expected, 1 to 86400: {text[:20]}")
    return int(text)
