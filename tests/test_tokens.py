"""Tokens of fast logins, in each database."""

from __future__ import annotations

import pytest

from tests.storage.conftest import storage, url  # noqa: F401 - fixtures
from xmppd.sasl import Credentials
from xmppd.sasl.keys import derive_all
from xmppd.storage import Storage
from xmppd.tokens import Token, Tokens

PHONE = "d4565fa7-4d72-4749-b3d3-740edbf87770"
NOW, MONTH = 1_700_000_000.25, 2_592_000.0
KEYS = derive_all("alice")


async def find(user: str) -> Credentials | None:
    return KEYS if user == "alice" else None


@pytest.fixture
async def tokens(storage: Storage) -> Tokens:  # noqa: F811
    made = Tokens("localhost", storage, b"secret")
    await made.prepare(NOW)
    return made


async def issued(tokens: Tokens, now: float = NOW) -> Token:
    token = await tokens.issue("alice", PHONE, "HT-SHA-256-NONE", KEYS, now, MONTH)
    assert token is not None
    return token


async def slots(tokens: Tokens, token: Token) -> list[str]:
    return [each.slot for each in await tokens.of("alice", PHONE, find) if each.secret == token.secret]


async def test_a_token_is_found_with_its_times(tokens: Tokens) -> None:
    token = await issued(tokens)
    assert token in await tokens.of("alice", PHONE, find)
    assert (token.issued, token.expires) == (NOW, NOW + MONTH)


async def test_a_new_token_takes_the_place_of_the_one_in_use_when_it_is_used(tokens: Tokens) -> None:
    first = await issued(tokens)
    assert await tokens.use(first, None)
    second = await issued(tokens, NOW + 1)
    assert (await slots(tokens, first), await slots(tokens, second)) == (["current"], ["new"])
    assert await tokens.use(second, None)
    assert (await slots(tokens, first), await slots(tokens, second)) == ([], ["current"])
    assert not await tokens.use(first, None)


async def test_one_that_was_replaced_before_its_use_takes_nothing_along(tokens: Tokens) -> None:
    first = await issued(tokens)
    assert await tokens.use(first, None)
    second, third = await issued(tokens, NOW + 1), await issued(tokens, NOW + 2)
    assert not await tokens.use(second, None)
    assert (await slots(tokens, first), await slots(tokens, third)) == (["current"], ["new"])


async def test_a_count_grows(tokens: Tokens) -> None:
    token = await issued(tokens)
    most = 10**17 - 1
    counts = (-1, 0, 0, 5, 4, None, 5, most, most)
    assert [await tokens.use(token, count) for count in counts] == [
        *(False, True, False, True, False, True, False, True, False)
    ]


async def test_without_keys_there_is_no_token(tokens: Tokens) -> None:
    assert await tokens.issue("alice", PHONE, "HT-SHA-256-NONE", {}, NOW, MONTH) is None
    await tokens.issue("bob", PHONE, "HT-SHA-256-NONE", KEYS, NOW, MONTH)
    assert await tokens.of("bob", PHONE, find) == []
