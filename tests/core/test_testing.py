"""The pytest plugin, in the test suites of others."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

SUITE = """
import asyncio
{marks}

async def test_a_bot_finds_its_server(xmpp_server):
    address = await xmpp_server.register("alice", "secret")
    assert address == "alice@localhost"
    reader, writer = await asyncio.open_connection("127.0.0.1", xmpp_server.port)
    writer.write(b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
                 b"to='localhost' version='1.0'>")
    assert b"SCRAM-SHA-256" in await reader.readuntil(b"</stream:features>")
    writer.close()

async def test_the_next_test_has_a_fresh_one(xmpp_server):
    await xmpp_server.register("alice", "another secret")
"""
STRICT = "import pytest\npytestmark = pytest.mark.asyncio"


@pytest.mark.parametrize(("mode", "marks"), [("auto", ""), ("strict", STRICT)])
def test_the_fixture_works_in_both_modes_of_pytest_asyncio(pytester: pytest.Pytester, mode: str, marks: str) -> None:
    pytester.makeini(f"[pytest]\nasyncio_mode = {mode}\nasyncio_default_fixture_loop_scope = function\n")
    pytester.makepyfile(SUITE.format(marks=marks))
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=2)
