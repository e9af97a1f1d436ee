"""How much of a stretch could be played as it was, and how much had to be supposed."""

import msgspec


class Tally(msgspec.Struct):
    """How much of the script could be played, and how much had to be supposed."""

    acts: int = 0
    left_out: dict[str, int] = {}
    """Acts that were refused or meant nothing any more, by the code of the refusal."""
    not_reached: int = 0
    put_off: int = 0
    """Acts for which an owner who was away had to come back first."""
    offers_answered: int = 0
    offers_supposed: int = 0
    claims_supposed: int = 0
    replies_supposed: int = 0
    closes_supposed: int = 0
