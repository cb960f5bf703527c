"""What was acknowledged lies in both archives after `kill -9`, once and in order, wherever the tables stood."""

import random
from pathlib import Path

import pytest

from tests.kit.client import Client
from tests.stories import test_nothing_lost as lives
from tests.stories.archives import page, rsm, say

pytestmark = pytest.mark.slow

ROUNDS, MOST = 4, 600


async def whole(client: Client) -> list[str]:
    """An archive, page by page."""
    found = await page(client, rsm(max=100))
    texts = found.texts
    while not found.complete:
        found = await page(client, rsm(max=100, after=found.edge("last")))
        texts += found.texts
    return [text or "" for text in texts]


async def test_what_was_acknowledged_is_in_both_archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lives, "CONFIG", lives.CONFIG.replace("ping: {{}},", "ping: {{}}, mam: {{}},"))
    chance, server = random.Random(313), lives.Lives(tmp_path)
    await server.prepare()
    acknowledged: list[str] = []
    number = 0
    try:
        for _ in range(ROUNDS):
            await server.begin()
            alice = await server.client("alice")
            for _ in range(chance.randrange(MOST // 10, MOST // 5)):
                number += 3
                said = [str(number + each) for each in range(3)]
                await say(alice, *said)
                acknowledged += said
                if chance.random() < 0.02:
                    await page(alice, rsm(max=1))  # and the tables are brought up to date
            alice.send("<message to='bob@localhost' type='chat'><body>maybe</body></message>")
            await server.end()
            await alice.drop()
        await server.begin()
        for name in ("alice", "bob"):
            client = await server.client(name)
            assert [text for text in await whole(client) if text != "maybe"] == acknowledged, name
            await client.close()
    finally:
        await server.end()
