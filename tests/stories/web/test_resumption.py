"""XEP-0198 over HTTP: a session goes on over another connection, of whichever kind."""

from __future__ import annotations

import pytest

from tests.kit.bosh import Bosh, bosh
from tests.kit.client import NAMES, Client
from tests.kit.websocket import WebSocket, websocket
from tests.kit.world import World
from xmppd.xmpp import namespaces as ns

SM = f"{{{ns.SM}}}"
KINDS = ["websocket", "bosh", "tcp"]


async def enter(web: World, kind: str) -> Client:
    """A connection of this kind that has logged in as alice, and bound nothing."""
    if kind == "websocket":
        client: Client = await websocket(web)
    elif kind == "bosh":
        client = Bosh(web)
        web.clients.append(client)
    else:
        client = await web.dial()
    await web.account("alice")
    await client.open()
    await client.login("alice", "alice")
    return client


async def enabled(client: Client) -> str:
    """Bind, and enable stream management; the id to resume with."""
    await client.bind("page")
    client.send(f"<enable xmlns='{ns.SM}' resume='true'/>")
    answer = await client.receive()
    assert answer.tag == f"{SM}enabled"
    return str(answer.get("id"))


async def lose(web: World, client: Client) -> None:
    """Its connections are cut, and the server notices."""
    await client.drop()
    web.clients.remove(client)
    if isinstance(client, Bosh):
        await web.advance(152)  # as long as a session may be without a request
    else:
        observer = await web.session("observer/x")
        await observer.ping()
        await observer.close()


async def body_of(client: Client) -> str:
    """The text of the next message; acknowledgements that the server asks for are not given."""
    while True:
        text = (await client.receive()).findtext("c:body", namespaces=NAMES)
        if text is not None:
            return str(text)


@pytest.mark.parametrize("first", KINDS)
@pytest.mark.parametrize("second", KINDS)
async def test_a_lost_session_goes_on_and_has_lost_nothing(web: World, first: str, second: str) -> None:
    alice, bob = await enter(web, first), await web.session("bob/phone")
    id = await enabled(alice)
    address = alice.jid
    await lose(web, alice)
    for text in ("one", "two"):
        bob.send(f"<message to='{address}' type='chat'><body>{text}</body></message>")
    await bob.ping()
    again = await enter(web, second)
    again.send(f"<resume xmlns='{ns.SM}' previd='{id}' h='0'/>")
    resumed = await again.receive()
    assert (resumed.tag, resumed.get("previd")) == (f"{SM}resumed", id)
    assert [await body_of(again), await body_of(again)] == ["one", "two"]
    again.send(f"<message xmlns='jabber:client' to='{bob.jid}' type='chat'><body>here I am</body></message>")
    await again.ping()
    said = await bob.receives("c:message[c:body='here I am']")
    assert said.get("from") == str(address)


async def test_a_page_that_is_reloaded_resumes_at_once(web: World) -> None:
    """The session is taken over while the server still believes in the old connection."""
    alice = await enter(web, "bosh")
    id = await enabled(alice)
    again = await enter(web, "bosh")
    again.send(f"<resume xmlns='{ns.SM}' previd='{id}' h='0'/>")
    assert (await again.receive()).tag == f"{SM}resumed"
    assert isinstance(alice, Bosh)
    answer = await alice.ask_server()
    assert answer.xml.get("type") == "terminate"


async def test_what_a_websocket_sent_before_it_was_lost_is_counted(web: World) -> None:
    alice, bob = await enter(web, "websocket"), await web.session("bob/phone")
    id = await enabled(alice)
    alice.send(f"<message xmlns='jabber:client' to='{bob.jid}' type='chat'><body>hello</body></message>")
    alice.send(f"<r xmlns='{ns.SM}'/>")
    assert (await alice.receive()).get("h") == "1"
    await lose(web, alice)
    again = await enter(web, "websocket")
    again.send(f"<resume xmlns='{ns.SM}' previd='{id}' h='0'/>")
    assert (await again.receive()).get("h") == "1"


async def test_who_closes_in_order_has_no_session_left(web: World) -> None:
    alice = await enter(web, "websocket")
    id = await enabled(alice)
    assert isinstance(alice, WebSocket)
    alice.send(f"<close xmlns='{ns.FRAMING}'/>")
    while (await alice.receive()).tag != f"{{{ns.FRAMING}}}close":
        pass
    again = await enter(web, "websocket")
    again.send(f"<resume xmlns='{ns.SM}' previd='{id}' h='0'/>")
    assert (await again.receive()).tag == f"{SM}failed"


async def test_a_bosh_session_that_ends_in_order_is_not_resumed(web: World) -> None:
    alice = await bosh(web, "alice/page")
    alice.send(f"<enable xmlns='{ns.SM}' resume='true'/>")
    id = (await alice.receive()).get("id")
    await alice.ask_server(type="terminate")
    again = await enter(web, "bosh")
    again.send(f"<resume xmlns='{ns.SM}' previd='{id}' h='0'/>")
    assert (await again.receive()).tag == f"{SM}failed"
