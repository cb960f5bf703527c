"""RFC 6121 2: rosters."""

from tests.kit.client import error_of
from tests.kit.world import a_world

MODULES = {"roster": {}, "presence": {}, "ping": {}}
GET = "<iq type='get'><query xmlns='jabber:iq:roster'/></iq>"


def setting(inside: str) -> str:
    return f"<iq type='set'><query xmlns='jabber:iq:roster'>{inside}</query></iq>"


async def test_a_contact_is_added_renamed_regrouped_and_removed() -> None:
    async with a_world(modules=MODULES) as world:
        alice = await world.session("alice/phone")
        empty = await alice.ask(GET)
        assert empty.xpath("count(r:query/r:item)", namespaces={"r": "jabber:iq:roster"}) == 0
        added = await alice.ask(setting("<item jid='bob@localhost' name='Bob'><group>Friends</group></item>"))
        assert added.get("type") == "result"
        await alice.receives(
            "c:iq[@type='set']/roster:query[@ver]/roster:item[@jid='bob@localhost'][@name='Bob']"
            "[@subscription='none']/roster:group[.='Friends']/../../.."
        )
        await alice.ask(setting("<item jid='bob@localhost' name='Robert'/>"))
        await alice.receives("c:iq/roster:query/roster:item[@name='Robert'][not(roster:group)]/../..")
        await alice.ask(setting("<item jid='bob@localhost' subscription='remove'/>"))
        await alice.receives("c:iq/roster:query/roster:item[@jid='bob@localhost'][@subscription='remove']/../..")
        assert error_of(await alice.ask(setting("<item jid='bob@localhost' subscription='remove'/>"))) == (
            "item-not-found"
        )
