"""XEP-0202: Entity Time, in the formats of XEP-0082."""

import time
from collections.abc import Iterator

import pytest

from tests.kit.client import NAMES
from tests.kit.world import a_world

TIME = "{urn:xmpp:time}"


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[None]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("zone", "offset"),
    [("UTC", "+00:00"), ("Asia/Kolkata", "+05:30"), ("XXX+7", "-07:00"), ("XXX-12:45", "+12:45")],
    indirect=["zone"],
)
@pytest.mark.usefixtures("zone")
async def test_2_the_server_tells_utc_and_its_zone(offset: str) -> None:
    async with a_world(modules={"ping": {}, "time": {}}) as world:
        alice = await world.session("alice/phone")
        await world.advance(0.5)
        reply = await alice.ask("<iq type='get' to='localhost'><time xmlns='urn:xmpp:time'/></iq>")
        assert reply.get("type") == "result"
        answer = reply[0]
        assert [child.tag for child in answer] == [f"{TIME}tzo", f"{TIME}utc"]
        assert answer.findtext(f"{TIME}utc") == "2023-11-14T22:13:20.500000Z"
        assert answer.findtext(f"{TIME}tzo") == offset


async def test_4_the_feature_is_told() -> None:
    async with a_world(modules={"disco": {}, "time": {}}) as world:
        alice = await world.session("alice/phone")
        query = "<query xmlns='http://jabber.org/protocol/disco#info'/>"
        reply = await alice.ask(f"<iq type='get' to='localhost'>{query}</iq>")
        assert reply.xpath("info:query/info:feature[@var='urn:xmpp:time']", namespaces=NAMES)
