"""XEP-0092: Software Version."""

import platform
from typing import Any

import pytest

from tests.kit.client import NAMES
from tests.kit.world import a_world
from xmppd import __version__
from xmppd.xmpp.stanza import Element

VERSION = "{jabber:iq:version}"


async def asked(options: dict[str, Any]) -> Element:
    async with a_world(modules={"version": options}) as world:
        alice = await world.session("alice/phone")
        reply = await alice.ask("<iq type='get' to='localhost'><query xmlns='jabber:iq:version'/></iq>")
        assert (reply.get("type"), reply.get("from")) == ("result", "localhost")
        return reply[0]


async def test_2_name_and_version_are_told() -> None:
    answer = await asked({})
    assert answer.findtext(f"{VERSION}name") == "xmppd"
    assert answer.findtext(f"{VERSION}version") == __version__


@pytest.mark.parametrize(("options", "told"), [({}, None), ({"show_os": True}, platform.platform())])
async def test_5_the_administrator_decides_about_the_operating_system(options: dict[str, Any], told: str) -> None:
    assert (await asked(options)).findtext(f"{VERSION}os") == told


async def test_4_the_feature_is_told() -> None:
    async with a_world(modules={"disco": {}, "version": {}}) as world:
        alice = await world.session("alice/phone")
        query = "<query xmlns='http://jabber.org/protocol/disco#info'/>"
        reply = await alice.ask(f"<iq type='get' to='localhost'>{query}</iq>")
        assert reply.xpath("info:query/info:feature[@var='jabber:iq:version']", namespaces=NAMES)
