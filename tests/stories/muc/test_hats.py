"""XEP-0317: hats."""

import pytest

from tests.kit.client import Client, error_of, show
from tests.kit.world import World
from xmppd.xmpp.stanza import Element

from .coven import ROOM, codes, enters, found, nick, world
from .ruling import Company, coven, does, fails, field

__all__ = ["coven", "world"]

NS = "urn:xmpp:hats:0"
COMMANDS = "http://jabber.org/protocol/commands"
TEACHER = "http://tech.example.edu/hats#Teacher"
PATHS = {"h": NS, "a": COMMANDS, "x": "jabber:x:data", "info": "http://jabber.org/protocol/disco#info"}


def command(name: str, *fields: str, action: str = "execute") -> str:
    """An ad-hoc command, with its form where there are fields."""
    form = field("FORM_TYPE", "urn:xmpp:hats:commands") + "".join(fields)
    inside = f"<x xmlns='jabber:x:data' type='submit'>{form}</x>" if fields else ""
    attributes = f"action='{action}' node='urn:xmpp:hats:commands:{name}'"
    return f"<iq type='set' to='{ROOM}'><command xmlns='{COMMANDS}' {attributes}>{inside}</command></iq>"


def create(title: str = "Teacher", uri: str = TEACHER, hue: str = "327.255249") -> str:
    """Make a hat."""
    return command("create", field("hats#title", title), field("hats#uri", uri), field("hats#hue", hue))


def assign(name: str = "hag66", uri: str = TEACHER, verb: str = "assign") -> str:
    """Give a hat."""
    return command(verb, field("hats#jid", f"{name}@localhost"), field("hats#uri", uri))


def hats(stanza: Element) -> list[dict[str, str]]:
    """What an occupant wears."""
    return [dict(hat.attrib) for hat in stanza.xpath("h:hats/h:hat", namespaces=PATHS)]


def status(reply: Element) -> str:
    """How far a command is."""
    return str(reply.xpath("string(a:command/@status)", namespaces=PATHS))


async def rows(client: Client, name: str) -> list[list[str]]:
    """The rows of a list."""
    reply = await does(client, command(name))
    return [item.xpath("x:field/x:value/text()", namespaces=PATHS) for item in reply.findall(".//{jabber:x:data}item")]


async def test_a_room_advertises_hats_and_a_hash_of_its_list(coven: Company) -> None:
    ask = f"<iq type='get' to='{ROOM}'><query xmlns='{PATHS['info']}'/></iq>"
    hash = "string(*/x:x/x:field[@var='hats#hash']/x:value)"
    reply = await does(coven.stranger, ask)
    assert reply.xpath(f"*/info:feature[@var='{NS}']", namespaces=PATHS)
    assert not reply.xpath(hash, namespaces=PATHS)
    seen = set()
    for title in ("Teacher", "Professor"):
        await does(coven.admin, create(title))
        await coven.quiet()
        seen.add((await does(coven.stranger, ask)).xpath(hash, namespaces=PATHS))
    assert len(seen) == 2
    assert "" not in seen


async def test_admin_requests_to_create_a_hat(coven: Company) -> None:
    reply = await does(coven.admin, command("create"))
    assert status(reply) == "executing"
    assert reply.xpath("a:command/@sessionid", namespaces=PATHS)
    assert reply.xpath("a:command/x:x[@type='form']/x:field[@var='hats#title']/x:required", namespaces=PATHS)
    reply = await does(coven.admin, create())
    assert status(reply) == "completed"
    for client in coven.everybody:
        assert codes(await client.receives(f"c:message[@from='{ROOM}']")) == ["104"]
    assert await rows(coven.admin, "list") == [["Teacher", TEACHER, "327.255249"]]


async def test_a_command_is_cancelled(coven: Company) -> None:
    assert status(await does(coven.admin, command("create", action="cancel"))) == "canceled"


async def test_admin_requests_to_assign_a_hat(coven: Company) -> None:
    await does(coven.admin, create())
    form = await does(coven.admin, command("assign"))
    assert form.xpath(f"a:command/x:x/x:field[@var='hats#uri']/x:option/x:value[.='{TEACHER}']", namespaces=PATHS)
    await coven.quiet()
    await does(coven.admin, assign())
    for client in coven.everybody:
        shown = await client.receives("c:presence")
        assert nick(shown) == "thirdwitch"
        assert hats(shown) == [{"title": "Teacher", "uri": TEACHER, "hue": "327.255249"}], show(shown)
    assert await rows(coven.admin, "list-assigned") == [["hag66@localhost", TEACHER, "Teacher", "327.255249"]]


async def test_a_hat_is_worn_at_the_next_visit_too(coven: Company) -> None:
    await does(coven.admin, create())
    await does(coven.admin, assign("lear"))
    await coven.quiet()
    lear = await coven.world.online("lear/castle")
    entered = await enters(lear, "king")
    own = next(stanza for stanza in entered if nick(stanza) == "king")
    assert hats(own) == hats(await coven.member.receives("c:presence")) != []


async def test_nobody_puts_on_a_hat_by_themselves(coven: Company) -> None:
    forged = f"<hats xmlns='{NS}'><hat uri='{TEACHER}' title='Teacher'/></hats>"
    coven.stranger.send(f"<presence to='{ROOM}/fourthwitch'>{forged}<show>away</show></presence>")
    await coven.stranger.ping()
    shown = await coven.member.receives("c:presence[c:show]")
    assert hats(shown) == []


async def test_admin_requests_to_remove_a_hat(coven: Company) -> None:
    await does(coven.admin, create())
    await does(coven.admin, assign())
    await coven.quiet()
    await does(coven.admin, assign(verb="unassign"))
    assert hats(await coven.member.receives("c:presence")) == []
    assert await fails(coven.admin, assign(verb="unassign")) == "item-not-found"


async def test_a_changed_hat_is_shown(coven: Company) -> None:
    await does(coven.admin, create())
    await does(coven.admin, assign())
    await coven.quiet()
    await does(coven.admin, create("Professor", hue=""))
    assert hats(await coven.member.receives("c:presence")) == [{"title": "Professor", "uri": TEACHER}]


async def test_admin_requests_to_destroy_a_hat(coven: Company) -> None:
    await does(coven.admin, create())
    await does(coven.admin, assign())
    await coven.quiet()
    await does(coven.admin, command("destroy", field("hats#uri", TEACHER)))
    assert hats(await coven.member.receives("c:presence")) == []
    assert await rows(coven.admin, "list") == await rows(coven.admin, "list-assigned") == []
    assert await fails(coven.admin, command("destroy", field("hats#uri", TEACHER))) == "item-not-found"


async def test_only_admins_make_and_give_hats(coven: Company) -> None:
    await does(coven.admin, create())
    for asked in (create(), assign(), assign(verb="unassign"), command("destroy"), command("list-assigned")):
        for client in (coven.member, coven.stranger):
            assert await fails(client, asked) == "forbidden"
    assert await rows(coven.stranger, "list") == [["Teacher", TEACHER, "327.255249"]]
    lear = await coven.world.online("lear/castle")
    assert await fails(lear, command("list")) == "forbidden", "who is not in the room learns nothing"


@pytest.mark.parametrize(
    ("title", "uri", "hue"),
    [
        ("", TEACHER, ""),
        ("x" * 101, TEACHER, ""),
        ("Teacher", "", ""),
        ("Teacher", "teacher", ""),
        ("Teacher", "urn:a b", ""),
        ("Teacher", "urn:" + "x" * 500, ""),
        ("Teacher", TEACHER, "red"),
        ("Teacher", TEACHER, "361"),
        ("Teacher", TEACHER, "-1"),
    ],
)
async def test_what_a_hat_may_not_be(coven: Company, title: str, uri: str, hue: str) -> None:
    assert await fails(coven.admin, create(title, uri, hue)) == "not-acceptable"
    assert await rows(coven.admin, "list") == []


async def test_there_are_no_other_commands(coven: Company) -> None:
    for node in ("urn:xmpp:hats:commands:steal", "create", ""):
        iq = f"<iq type='set' to='{ROOM}'><command xmlns='{COMMANDS}' node='{node}'/></iq>"
        assert error_of(await coven.owner.ask(iq)) == "item-not-found"


async def test_hats_are_limited(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, most in (("MOST_HATS", 3), ("MOST_WORN", 1), ("MOST_WEARERS", 1)):
        monkeypatch.setattr(f"xmppd.modules.muc.hats.{name}", most)
    crone = await world.online("crone1/desktop")
    await found(crone, "firstwitch")
    for number in range(3):
        await does(crone, create(uri=f"urn:hat:{number}"))
    assert await fails(crone, create(uri="urn:hat:3")) == "resource-constraint"
    await does(crone, assign(uri="urn:hat:0"))
    assert await fails(crone, assign(uri="urn:hat:1")) == "resource-constraint"
    assert await fails(crone, assign("lear", "urn:hat:0")) == "resource-constraint"
    assert await fails(crone, assign(uri="urn:hat:9")) == "item-not-found"
