"""Rosters from the command line, and from a file of XEP-0227."""

from pathlib import Path

import pytest
from lxml import etree

from tests.kit.world import World
from xmppd.commands import CommandError
from xmppd.xmpp.jid import JID

from .contacts import NS, interested, item, roster, world

__all__ = ["world"]

ALICE, BOB = "alice@localhost", "bob@localhost"
ADD = ("alice", "localhost", "bob", "localhost", "Bob", "Friends;Work", "both")


async def test_a_contact_is_added_listed_and_deleted(world: World) -> None:
    alice = await interested(await world.session("alice/phone"))
    call = world.server.commands.call
    await call("add_rosteritem", ADD)
    push = await alice.receives(item(BOB, name="Bob", subscription="both"))
    assert [group.text for group in push.findall("r:query/r:item/r:group", NS)] == ["Friends", "Work"]
    assert await call("get_roster", ["alice", "localhost"]) == [
        {"jid": BOB, "nick": "Bob", "subscription": "both", "pending": "none", "groups": "Friends;Work"}
    ]
    await call("delete_rosteritem", ["alice", "localhost", "bob", "localhost"])
    await alice.receives(item(BOB, subscription="remove"))
    assert await call("get_roster", ["alice", "localhost"]) == []


async def test_the_contact_may_be_of_another_server(world: World) -> None:
    await world.account("alice")
    call = world.server.commands.call
    await call("add_rosteritem", ("alice", "localhost", "Bob", "Elsewhere.Example", "", "", "to"))
    (row,) = await call("get_roster", ["alice", "localhost"])
    assert (row["jid"], row["groups"]) == ("bob@elsewhere.example", "")


async def test_what_an_administrator_grants_is_asked_for_no_more(world: World) -> None:
    """A subscription and a request for it exclude each other (RFC 6121 A.1)."""
    alice, bob = await world.online("alice/phone"), await world.online("bob/desk")
    for one, other in ((alice, bob), (bob, alice)):
        one.send(f"<presence to='{other.jid.bare}' type='subscribe'/>")
        await one.ping()
    await alice.pending()
    await bob.pending()
    call = world.server.commands.call
    await call("add_rosteritem", ADD)
    assert await roster(alice) == {BOB: "both"}
    (row,) = await call("get_roster", ["alice", "localhost"])
    assert (row["subscription"], row["pending"]) == ("both", "none")
    await alice.pending()
    await bob.pending()
    again = await world.online("alice/laptop")
    assert not [each for each in await again.pending() if each.get("type") == "subscribe"]
    for type in ("subscribe", "subscribed", "unsubscribe", "unsubscribed"):
        alice.send(f"<presence to='{BOB}' type='{type}'/>")
        assert not [each for each in await alice.pending() if each.get("type") == "error"]


async def test_presence_follows_what_an_administrator_adds_and_takes(world: World) -> None:
    alice, bob = await world.online("alice/phone"), await world.online("bob/desk")
    call = world.server.commands.call
    await call("add_rosteritem", ADD)
    await bob.receives(f"c:presence[not(@type)][@from='{ALICE}/phone']")
    await call("add_rosteritem", (*ADD[:-1], "none"))
    await bob.receives(f"c:presence[@type='unavailable'][@from='{ALICE}/phone']")
    await alice.receives_nothing()


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("add_rosteritem", (*ADD[:-1], "friends"), "none, to, from, both"),
        ("add_rosteritem", ("nobody", *ADD[1:]), "no account"),
        ("add_rosteritem", ("alice", "localhost", "a b", "localhost", "", "", "to"), "localpart"),
        ("delete_rosteritem", ("alice", "localhost", "carol", "localhost"), "not in the roster"),
        ("get_roster", ("nobody", "localhost"), "registered_users"),
        ("push_roster", ("/no/such/file", "alice", "localhost"), "/no/such/file"),
    ],
)
async def test_an_error_says_what_is_wrong(world: World, name: str, arguments: tuple[str, ...], says: str) -> None:
    await world.account("alice")
    with pytest.raises(CommandError, match=says):
        await world.server.commands.call(name, arguments)


async def test_a_file_of_items_is_pushed(world: World, tmp_path: Path) -> None:
    alice = await interested(await world.session("alice/phone"))
    file = tmp_path / "colleagues.xml"
    file.write_text(
        "<query xmlns='jabber:iq:roster'><item jid='bob@localhost' name='Bob' subscription='both'/>"
        "<item jid='carol@localhost'><group>Work</group></item></query>"
    )
    await world.server.commands.call("push_roster", [str(file), "alice", "localhost"])
    await alice.receives(item(BOB, name="Bob", subscription="both"))
    await alice.receives(item("carol@localhost", subscription="none"))


@pytest.mark.parametrize("text", ["<query/>", "<query", "<query xmlns='jabber:iq:roster'><item/></query>"])
async def test_a_file_that_is_no_roster_changes_nothing(world: World, tmp_path: Path, text: str) -> None:
    await world.account("alice")
    file = tmp_path / "x.xml"
    file.write_text(text)
    with pytest.raises(CommandError):
        await world.server.commands.call("push_roster", [str(file), "alice", "localhost"])


async def test_an_import_names_the_items_that_cannot_be_taken_and_takes_the_others(
    world: World, tmp_path: Path
) -> None:
    items = (
        "<item jid='bob@localhost' subscription='both'/><item jid='carol@localhost' subscription='remove'/>"
        "<item jid='dave@localhost' subscription='friends'/><item jid='@'/><item/><item jid='eve@localhost'/>"
    )
    users = "".join(
        f"<user name='{name}' password='x'><query xmlns='jabber:iq:roster'>{inside}</query></user>"
        for name, inside in (("alice", items), ("zoe", "<item jid='bob@localhost'/>"))
    )
    file = tmp_path / "users.xml"
    file.write_text(f"<server-data xmlns='urn:xmpp:pie:0'><host jid='localhost'>{users}</host></server-data>")
    told = await world.server.commands.call("import", [str(file)])
    assert told["created"] == 2
    (refused,) = told["refused"]
    assert refused.startswith("alice@localhost: query: carol@localhost: a subscription is one of none, to, from, both")
    assert "dave@localhost: " in refused
    assert "an item needs a jid" in refused
    rows = await world.server.commands.call("get_roster", ["alice", "localhost"])
    assert [(row["jid"], row["subscription"]) for row in rows] == [(BOB, "both"), ("eve@localhost", "none")]


async def test_an_imported_roster_is_there_at_the_next_login(world: World) -> None:
    await world.account("alice")
    rosters, account = world.module("roster"), JID.parse(ALICE)
    query = etree.fromstring(
        "<query xmlns='jabber:iq:roster'><item jid='bob@localhost' subscription='both'><group>x</group></item>"
        "<item jid='carol@localhost' ask='subscribe'/><item jid='dave@localhost' approved='true'/>"
        "<item jid='frank@localhost' subscription='to' ask='subscribe'/></query>"
    )
    request = etree.fromstring("<presence xmlns='jabber:client' type='subscribe' from='eve@localhost'/>")
    assert await rosters.import_account(account, query)
    assert await rosters.import_account(account, request)
    assert not await rosters.import_account(account, etree.fromstring("<vCard xmlns='vcard-temp'/>"))
    alice = await world.session("alice/phone")
    alice.send("<presence/>")
    asked = [each.get("from") for each in await alice.pending() if each.get("type") == "subscribe"]
    assert asked == ["eve@localhost"]
    listed = {BOB: "both", "carol@localhost": "none+ask", "dave@localhost": "none+approved", "frank@localhost": "to"}
    assert await roster(alice) == listed


MET = {  # what a roster says of a contact whose request is in the file, and what becomes of the two
    "": ("none", True),
    "subscription='none' ask='subscribe'": ("none", True),
    "subscription='to'": ("to", True),
    "subscription='from'": ("from", False),
    "subscription='from' ask='subscribe'": ("from", False),
    "subscription='both'": ("both", False),
    "approved='true'": ("none", False),
}


@pytest.mark.parametrize("request_first", [True, False])
@pytest.mark.parametrize(("said", "subscription", "waits"), [(said, *then) for said, then in MET.items()])
async def test_an_imported_request_waits_wherever_in_the_file_it_stands(
    world: World, tmp_path: Path, said: str, subscription: str, waits: bool, request_first: bool
) -> None:
    """RFC 6121 A.3: a request waits beside what the roster says, unless that is an answer to it."""
    parts = [
        f"<presence xmlns='jabber:client' type='subscribe' from='{BOB}'/>",
        f"<query xmlns='jabber:iq:roster'><item jid='{BOB}' name='Bob' {said}/><item jid='eve@localhost'/></query>",
    ]
    inside = "".join(parts if request_first else reversed(parts))
    (tmp_path / "users.xml").write_text(
        f"<server-data xmlns='urn:xmpp:pie:0'><host jid='localhost'><user name='alice' password='alice'>{inside}"
        "</user></host></server-data>"
    )
    assert await world.server.commands.call("import", [str(tmp_path / "users.xml")]) == {"created": 1, "existing": 0}
    bob, eve = await world.server.commands.call("get_roster", ["alice", "localhost"])
    assert (bob["nick"], bob["subscription"], "in" in bob["pending"]) == ("Bob", subscription, waits)
    assert eve["pending"] == "none"
    alice = await world.session("alice/phone")
    alice.send("<presence/>")
    assert [each.get("from") for each in await alice.pending() if each.get("type") == "subscribe"] == [BOB] * waits


async def test_an_imported_request_can_be_granted(world: World) -> None:
    await world.account("alice")
    rosters, account = world.module("roster"), JID.parse(ALICE)
    request = f"<presence xmlns='jabber:client' type='subscribe' from='{BOB}'/>"
    query = f"<query xmlns='jabber:iq:roster'><item jid='{BOB}' subscription='to'/></query>"
    for _ in range(2):  # as where the import was cut off, and is run again
        for part in (request, query):
            assert await rosters.import_account(account, etree.fromstring(part))
    alice = await interested(await world.session("alice/phone"))
    alice.send(f"<presence to='{BOB}' type='subscribed'/>")
    await alice.receives(item(BOB, subscription="both"))
