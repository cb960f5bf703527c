"""Other people's clients lose their connections, come back (XEP-0198), page their archives and see carbons."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from slixmpp import JID, ClientXMPP

from .conftest import Stage
from .drivers.base import Access
from .drivers.nbx import NbXMPP
from .drivers.xmppjs import PATIENCE, XmppJS, installed
from .servers import Server

pytestmark = pytest.mark.client

Enter = Callable[..., Awaitable[XmppJS]]


@pytest.fixture
async def enter() -> AsyncIterator[Enter]:
    """Starts xmpp.js for an account; all are ended after the test."""
    clients: list[XmppJS] = []
    try:
        await asyncio.to_thread(installed)
    except RuntimeError as error:
        pytest.skip(str(error))

    async def start(access: Access, resource: str) -> XmppJS:
        client = XmppJS(access, resource)
        clients.append(client)
        await client.starts()
        return client

    yield start
    for client in clients:
        await client.closes()


def needs(server: Server, module: str) -> None:
    """Skip where the server under test does not have it."""
    if f"{module}:" not in (server.folder / "xmppd.yml").read_text():
        pytest.skip(f"the server's demo configuration has no {module}")


async def archived(stage: Stage, server: Server) -> tuple[Access, list[str]]:
    """An account, and what alice has said to it while nobody was there."""
    needs(server, "mam")
    access = stage.account("bob")
    alice = await stage.enter("slixmpp", "alice")
    await alice.logs_in()
    texts = [f"message {number}" for number in range(5)]
    for text in texts:
        await alice.says(access.jid, text)
    return access, texts


class Slix:
    """A slixmpp session with XEP-0198, which keeps its counters when its connection is cut."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self.heard: list[str] = []
        self.events: list[str] = []
        self._changed = asyncio.Event()
        xmpp = self.xmpp = ClientXMPP(JID(f"{access.jid}/slix"), access.password)
        xmpp.ca_certs = access.authority
        xmpp.enable_direct_tls, xmpp.enable_starttls, xmpp.enable_plaintext = False, True, False
        xmpp.register_plugin("xep_0198")
        xmpp.add_event_handler("message", self._hear)
        xmpp.add_event_handler("session_start", lambda _: xmpp.send_presence())
        for event in ("session_start", "sm_enabled", "session_resumed", "disconnected"):
            xmpp.add_event_handler(event, lambda _, event=event: self._happen(event))

    def _hear(self, message: Any) -> None:
        if message["body"]:
            self.heard.append(message["body"])
            self._changed.set()

    def _happen(self, event: str) -> None:
        self.events.append(event)
        self._changed.set()

    def connects(self) -> None:
        self.xmpp.connect(self._access.host, self._access.starttls_port)

    async def until(self, wanted: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not wanted():
                self._changed.clear()
                await self._changed.wait()


async def test_slixmpp_resumes(stage: Stage) -> None:
    bob = Slix(stage.account("bob"))
    alice = await stage.enter("slixmpp", "alice")
    await alice.logs_in()
    bob.connects()
    await bob.until(lambda: "sm_enabled" in bob.events)
    address = bob.xmpp.boundjid.bare
    await alice.says(address, "before the tunnel")
    await bob.until(lambda: bob.heard == ["before the tunnel"])
    bob.xmpp.abort()
    await bob.until(lambda: "disconnected" in bob.events)
    for text in ("in the tunnel", "still in the tunnel"):
        await alice.says(address, text)
    bob.connects()
    await bob.until(lambda: "session_resumed" in bob.events)
    await bob.until(lambda: len(bob.heard) >= 3)
    await alice.says(address, "behind the tunnel")
    await bob.until(lambda: "behind the tunnel" in bob.heard)
    assert bob.heard == ["before the tunnel", "in the tunnel", "still in the tunnel", "behind the tunnel"]
    await bob.xmpp.disconnect()


async def test_xmppjs_resumes(stage: Stage, enter: Enter) -> None:
    access = stage.account("bob")
    bob = await enter(access, "desk")
    alice = await stage.enter("slixmpp", "alice")
    await alice.logs_in()
    await alice.says(access.jid, "before the tunnel")
    await bob.tells("message", body="before the tunnel")
    bob.order("say", to=alice.jid, body="said at its entrance")
    bob.order("cut")
    await bob.tells("disconnect")
    await alice.says(access.jid, "in the tunnel")
    await bob.tells("resumed")
    await bob.tells("message", body="in the tunnel")
    await alice.hears(access.jid, "said at its entrance")
    await bob.tells("acknowledged", body="said at its entrance")
    await alice.says(access.jid, "behind the tunnel")
    await bob.tells("message", body="behind the tunnel")
    assert bob.bodies("message") == ["before the tunnel", "in the tunnel", "behind the tunnel"]


async def test_nbxmpp_resumes(stage: Stage) -> None:
    reason = await asyncio.to_thread(NbXMPP.missing)
    if reason:
        pytest.skip(f"nbxmpp is {reason}")
    bob = NbXMPP(stage.account("bob"))
    alice = await stage.enter("slixmpp", "alice")
    await alice.logs_in()
    try:
        await bob.starts()
        await alice.says(bob.access.jid, "before the tunnel")
        await bob.tells("message", body="before the tunnel")
        bob.order("say", to=alice.jid, body="said at its entrance")
        bob.cut()
        await bob.tells("disconnect", resumable="True")
        await alice.says(bob.access.jid, "in the tunnel")
        await bob.tells("resumed")
        await bob.tells("message", body="in the tunnel")
        await alice.hears(bob.access.jid, "said at its entrance")
        await alice.says(bob.access.jid, "behind the tunnel")
        await bob.tells("message", body="behind the tunnel")
        assert bob.bodies("message") == ["before the tunnel", "in the tunnel", "behind the tunnel"]
    finally:
        await bob.closes()


async def test_xmppjs_pages_its_archive(stage: Stage, enter: Enter, server: Server) -> None:
    access, texts = await archived(stage, server)
    bob = await enter(access, "desk")
    after, complete = "", False
    while not complete:
        page = await bob.does("page", after=after)
        after, complete = page["last"] or after, page.get("complete") == "true"
    assert bob.bodies("archived") == texts


async def test_xmppjs_sees_carbons(stage: Stage, enter: Enter, server: Server) -> None:
    needs(server, "carbons")
    access = stage.account("bob")
    desk, phone = await enter(access, "desk"), await enter(access, "phone")
    await desk.does("copies")
    alice = await stage.enter("slixmpp", "alice")
    await alice.logs_in()
    online = await phone.tells("online")
    await alice.says(online["jid"], "for the phone")
    await phone.tells("message", body="for the phone")
    await desk.tells("copy", name="received", body="for the phone")
    await phone.does("say", to=alice.jid, body="by the phone")
    await alice.hears(access.jid, "by the phone")
    await desk.tells("copy", name="sent", body="by the phone")


async def test_slixmpp_pages_its_archive(stage: Stage, server: Server) -> None:
    access, texts = await archived(stage, server)
    bob = Slix(access)
    bob.xmpp.register_plugin("xep_0313")
    bob.connects()
    await bob.until(lambda: "session_start" in bob.events)
    pages = bob.xmpp.plugin["xep_0313"].iterate(rsm={"max": 2})
    found = [each["mam_result"]["forwarded"]["stanza"]["body"] async for each in pages]
    assert found == texts
    await bob.xmpp.disconnect()


async def test_slixmpp_sees_carbons(stage: Stage, server: Server) -> None:
    needs(server, "carbons")
    access = stage.account("bob")
    copies: list[tuple[str, str]] = []
    bob = Slix(access)
    bob.xmpp.register_plugin("xep_0280")
    for kind in ("received", "sent"):

        def copied(message: Any, kind: str = kind) -> None:
            copies.append((kind, message[f"carbon_{kind}"]["body"]))
            bob.events.append("copy")
            bob._changed.set()

        bob.xmpp.add_event_handler(f"carbon_{kind}", copied)
    bob.connects()
    await bob.until(lambda: "session_start" in bob.events)
    await bob.xmpp.plugin["xep_0280"].enable()
    alice = await stage.enter("slixmpp", "alice")
    await alice.logs_in()
    other = Slix(access)
    other.xmpp.requested_jid = JID(f"{access.jid}/phone")
    other.connects()
    await other.until(lambda: "session_start" in other.events)
    await alice.says(str(other.xmpp.boundjid), "for the phone")
    await other.until(lambda: other.heard == ["for the phone"])
    await bob.until(lambda: ("received", "for the phone") in copies)
    other.xmpp.send_message(alice.jid, "by the phone", mtype="chat")
    await bob.until(lambda: ("sent", "by the phone") in copies)
    for each in (bob, other):
        await each.xmpp.disconnect()
