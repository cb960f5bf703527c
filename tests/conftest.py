"""Fixtures of every story."""

from collections.abc import AsyncIterator

import pytest

from tests.kit.world import World, a_world


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A fresh server with all default modules and a fake clock."""
    async with a_world() as made:
        yield made
