"""XEP-0045 7.2: how a client learns that it may not enter."""

from tests.kit.client import error_of
from tests.kit.world import World

from .coven import MUC, a_service, entering, found, world

__all__ = ["world"]


async def test_a_refused_join_comes_back_with_what_it_asked_with(world: World) -> None:
    crone, hag = await world.online("crone1/desktop"), await world.online("hag66/pda")
    await found(crone, "firstwitch", membersonly="1")
    hag.send(entering("thirdwitch"))
    reply = await hag.receive()
    assert error_of(reply) == "registration-required"
    assert reply[0].tag == f"{{{MUC}}}x"


async def test_so_does_one_that_would_have_made_a_room() -> None:
    async with a_service(access_create="none") as world:
        hag = await world.online("hag66/pda")
        hag.send(entering("thirdwitch"))
        reply = await hag.receive()
        assert error_of(reply) == "not-allowed"
        assert reply[0].tag == f"{{{MUC}}}x"
