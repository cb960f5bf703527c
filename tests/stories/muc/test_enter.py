"""XEP-0045 7.2: entering a room."""

import pytest

from tests.kit.client import error_of
from tests.kit.world import World

from .coven import MUC, ROOM, a_service, codes, configure, enters, entering, found, has, item, nick, world

__all__ = ["world"]


async def test_user_seeks_to_enter_a_room(world: World) -> None:
    hag = await world.online("hag66/pda")
    crone = await world.online("crone1/desktop")
    await found(crone, "firstwitch")
    stanzas = await enters(hag, "thirdwitch")
    assert [nick(each) for each in stanzas[:2]] == ["firstwitch", "thirdwitch"]
    assert "110" in codes(stanzas[1])


async def test_no_nickname_specified(world: World) -> None:
    hag = await world.online("hag66/pda")
    hag.send(f"<presence to='{ROOM}'><x xmlns='{MUC}'/></presence>")
    await hag.receives_error("jid-malformed")
