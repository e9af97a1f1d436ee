"""What a role allows. Whether somebody may act is decided in ``decide``, by these alone."""

import msgspec

from shared.routing.ids import RoleId
from shared.routing.vocabulary import Access


class Permissions(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    rename={"unassigned": "conversations.unassigned", "assigned": "conversations.assigned"},
):
    """What is not named is off."""

    unassigned: Access = "off"
    assigned: Access = "off"
    forward: bool = False
    assign_others: bool = False
    manage: bool = False
    audit: bool = False

    def missing_to_receive(self) -> tuple[str, ...]:
        """The permissions that are lacking to be given conversations; empty if none."""
        lacking = []
        if self.assigned != "write":
            lacking.append("conversations.assigned: write")
        if self.unassigned != "write":
            lacking.append("conversations.unassigned: write")
        return tuple(lacking)


BUILT_IN_ROLES: dict[RoleId, Permissions] = {
    RoleId("staff"): Permissions(unassigned="write", assigned="write", forward=True),
    RoleId("manager"): Permissions(
        unassigned="write",
        assigned="write",
        forward=True,
        assign_others=True,
        manage=True,
        audit=True,
    ),
}
"""The roles that every workspace has from its start."""
