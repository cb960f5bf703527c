"""Fixtures of the stories over HTTP."""

from collections.abc import AsyncIterator

import pytest

from tests.kit.world import World

from .doors import a_web


@pytest.fixture
async def web() -> AsyncIterator[World]:
    """A fresh server with a door for TCP and one for HTTP, where logging in needs no TLS."""
    async with a_web() as world:
        yield world
