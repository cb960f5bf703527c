"""The seam for those who add children to roster items."""

from collections.abc import Iterable, Mapping

from tests.kit.client import error_of
from tests.kit.world import World
from xmppd.api import Statement
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Element

from .contacts import GET, interested, setting, world

__all__ = ["world"]

NOTE = "{urn:example:note}note"


class Notes:
    """Keeps a `<note/>` with each item, in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def written(self, account: JID, contact: JID, item: Element | None) -> Iterable[Statement]:
        text = item.findtext(NOTE) if item is not None else None
        if text == "refuse":
            raise StanzaError("not-acceptable")
        self.kept[contact] = f"<note xmlns='urn:example:note'>{text}</note>" if text else ""
        return ()

    async def children(self, account: JID, contact: JID | None = None) -> Mapping[str, str]:
        return self.kept


async def test_a_part_reads_sets_and_writes_into_results_and_pushes(world: World) -> None:
    notes = Notes()
    world.module("roster").parts.append(notes)
    alice = await interested(await world.session("alice/phone"))
    await alice.ask(setting("<item jid='bob@localhost'><note xmlns='urn:example:note'>tall</note></item>"))
    push = await alice.receive()
    assert push.findtext(f".//{NOTE}") == "tall"
    assert (await alice.ask(GET)).findtext(f".//{NOTE}") == "tall"
    await alice.ask(setting("<item jid='bob@localhost' subscription='remove'/>"))
    assert notes.kept == {"bob@localhost": ""}


async def test_a_part_may_refuse_a_set(world: World) -> None:
    world.module("roster").parts.append(Notes())
    alice = await interested(await world.session("alice/phone"))
    refused = setting("<item jid='bob@localhost'><note xmlns='urn:example:note'>refuse</note></item>")
    assert error_of(await alice.ask(refused)) == "not-acceptable"
    assert len((await alice.ask(GET))[0]) == 0
