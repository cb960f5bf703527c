"""XEP-0313 4.3 and XEP-0059 2.1: a page of large messages ends sooner, so that it never is more than a queue takes."""

from collections.abc import AsyncIterator

import pytest

from tests.kit.client import Client
from tests.kit.world import World, a_world
from tests.stories.archives import MODULES, Page, page, rsm, say
from xmppd.config.limits import Limits
from xmppd.modules.mam.answers import PAGE
from xmppd.modules.mam.pages import LARGE

LETTER = "x" * 250_000  # near the largest stanza; two fit on a page


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world(modules=MODULES) as made:
        await made.account("bob")
        yield made


def numbers(found: Page) -> list[int]:
    """Those that the messages begin with."""
    return [int((text or "").partition(" ")[0]) for text in found.texts]


async def forwards(client: Client, size: int) -> list[list[int]]:
    """All pages, from the first to the last."""
    found = await page(client, rsm(max=size))
    pages = [numbers(found)]
    while not found.complete:
        found = await page(client, rsm(max=size, after=found.edge("last")))
        pages.append(numbers(found))
    return pages


async def test_who_was_sent_many_large_messages_reads_them_and_keeps_the_stream(world: World) -> None:
    """Together they are twice what may wait for bob; he asks for all of them, and is given what fits."""
    eve, bob = await world.session("eve/phone"), await world.session("bob/phone")
    await say(eve, *(f"{number} {LETTER}" for number in range(35)))
    pages = await forwards(bob, 50)
    assert [number for numbers in pages for number in numbers] == list(range(35))
    assert {len(numbers) for numbers in pages} == {2, 1}


async def test_backwards_it_ends_with_the_nearest(world: World) -> None:
    eve, bob = await world.session("eve/phone"), await world.session("bob/phone")
    await say(eve, *(f"{number} {LETTER}" for number in range(5)))
    last = await page(bob, rsm(max=50, before=""))
    assert numbers(last) == [3, 4]
    assert not last.complete
    before = await page(bob, rsm(max=50, before=last.edge("first")))
    assert numbers(before) == [1, 2]
    assert numbers(await page(bob, rsm(max=50, before="") + "<flip-page/>")) == [4, 3]


async def test_small_and_large_stand_in_one_order(world: World) -> None:
    """Around the size from which a message is read by itself."""
    alice = await world.session("alice/phone")
    sizes = [1, LARGE - 200, 2, LARGE, LARGE * 2, 3, LARGE + 1]
    await say(alice, *(f"{number} {'x' * size}" for number, size in enumerate(sizes)))
    found = await page(alice)
    assert [len(text or "") for text in found.texts] == [size + 2 for size in sizes]
    assert numbers(found) == list(range(7))
    assert found.complete
    assert [found.edge("first"), found.edge("last")] == [found.ids[0], found.ids[-1]]


async def test_what_is_deleted_while_a_page_is_made_is_left_out(world: World) -> None:
    """A large message is read a moment after it was found."""
    alice = await world.session("alice/phone")
    await say(alice, "0 small", f"1 {LETTER}", "2 small")
    store = world.module("mam").store
    read = store.whole

    async def purged(found: object) -> object:
        await world.host.house.storage.write(("DELETE FROM mam WHERE length(stanza) > ?", (LARGE,)))
        return await read(found)

    store.whole = purged
    found = await page(alice)
    assert numbers(found) == [0, 2]
    assert found.edge("last") == found.ids[1]


def test_a_full_page_is_a_part_of_what_may_wait_for_a_client() -> None:
    assert Limits().max_queue >= PAGE * 8
