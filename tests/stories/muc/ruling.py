"""What moderators, admins and owners ask of a room, and what the others see of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from tests.kit.client import Client, error_of, show
from tests.kit.world import World
from xmppd.xmpp.stanza import Element

from .coven import MUC, OWNER, ROOM, a_service, codes, enters, found, item, nick

ADMIN = f"{MUC}#admin"


@dataclass
class Company:
    """An owner, an admin, a member and a stranger, all of them in the room."""

    world: World
    owner: Client  # crone1, firstwitch
    admin: Client  # wiccarocks, secondwitch
    member: Client  # hag66, thirdwitch
    stranger: Client  # hecate, fourthwitch

    @property
    def everybody(self) -> list[Client]:
        """All four."""
        return [self.owner, self.admin, self.member, self.stranger]

    async def quiet(self) -> None:
        """Take out all that has come in."""
        for client in self.everybody:
            await client.pending()


async def gather(world: World, **fields: str) -> Company:
    """They make a room with these fields of muc#roomconfig, and enter it."""
    names = ("crone1/desktop", "wiccarocks/laptop", "hag66/pda", "hecate/broom")
    owner, admin, member, stranger = [await world.online(name) for name in names]
    await found(owner, "firstwitch", **fields)
    await does(owner, affiliated(admin="wiccarocks@localhost", member="hag66@localhost"))
    for client, name in ((admin, "secondwitch"), (member, "thirdwitch"), (stranger, "fourthwitch")):
        if "membersonly" not in fields or client is not stranger:
            await enters(client, name)
    company = Company(world, owner, admin, member, stranger)
    await company.quiet()
    return company


@pytest.fixture
async def coven() -> AsyncIterator[Company]:
    """The four in an open room."""
    async with a_service() as world:
        yield await gather(world)


@pytest.fixture
async def moderated() -> AsyncIterator[Company]:
    """The four in a moderated room: the stranger has no voice."""
    async with a_service() as world:
        yield await gather(world, moderatedroom="1")


def query(inside: str, type: str = "set", namespace: str = ADMIN, room: str = ROOM) -> str:
    """A request to the room."""
    return f"<iq type='{type}' to='{room}'><query xmlns='{namespace}'>{inside}</query></iq>"


def role(nick: str, role: str, reason: str = "") -> str:
    """An item that gives a nick a role."""
    said = f"<reason>{reason}</reason>" if reason else ""
    return query(f"<item nick='{nick}' role='{role}'>{said}</item>")


def affiliation(name: str, affiliation: str, reason: str = "", nick: str | None = None) -> str:
    """An item that gives an account of this host an affiliation."""
    said = f"<reason>{reason}</reason>" if reason else ""
    called = "" if nick is None else f" nick='{nick}'"
    return query(f"<item jid='{name}@localhost' affiliation='{affiliation}'{called}>{said}</item>")


def affiliated(**jids: str) -> str:
    """A request of many items: affiliation = addresses, with blanks between."""
    items = ((kind, jid) for kind, together in jids.items() for jid in together.split())
    return query("".join(f"<item affiliation='{kind}' jid='{jid}'/>" for kind, jid in items))


def configured(inside: str = "", type: str = "submit") -> str:
    """The configuration form with these fields."""
    return query(f"<x xmlns='jabber:x:data' type='{type}'>{inside}</x>", namespace=OWNER)


def field(var: str, *values: str) -> str:
    """One field of a form."""
    return f"<field var='{var}'>{''.join(f'<value>{value}</value>' for value in values)}</field>"


async def does(client: Client, iq: str) -> Element:
    """Ask; the room must agree."""
    reply = await client.ask(iq)
    assert reply.get("type") == "result", show(reply)
    return reply


async def fails(client: Client, iq: str) -> str:
    """Ask; the room must refuse. Returns the condition."""
    return error_of(await client.ask(iq))


async def listed(client: Client, **asked: str) -> dict[str, dict[str, str]]:
    """The items of a list, by bare address."""
    inside = "".join(f" {name}='{value}'" for name, value in asked.items())
    reply = await does(client, query(f"<item{inside}/>", "get"))
    items = [{str(name): str(value) for name, value in each.attrib.items()} for each in reply[0]]
    return {each["jid"].partition("/")[0].partition("@")[0]: each for each in items}


async def sees(client: Client, who: str, affiliation: str, role: str, *numbers: int, gone: bool = False) -> Element:
    """The next stanza is this presence of an occupant, with just these status codes."""
    stanza = await client.receive()
    shown = item(stanza)
    assert nick(stanza) == who, show(stanza)
    assert (shown["affiliation"], shown["role"]) == (affiliation, role), show(stanza)
    assert sorted(map(int, codes(stanza))) == sorted(numbers), show(stanza)
    assert stanza.get("type") == ("unavailable" if gone else None), show(stanza)
    return stanza


def why(stanza: Element) -> tuple[str, str]:
    """Who did it, and the reason."""
    inside = stanza.find(f"{{{MUC}#user}}x/{{{MUC}#user}}item")
    assert inside is not None
    actor = inside.find(f"{{{MUC}#user}}actor")
    return ("" if actor is None else actor.get("nick", "")), inside.findtext(f"{{{MUC}#user}}reason") or ""
