"""What a shell script does: log in, send one line, leave."""

import asyncio
import os
import shutil
from collections.abc import Sequence

import pytest

from .conftest import Stage
from .drivers.base import Access

pytestmark = pytest.mark.client


async def test_go_sendxmpp_sends_a_line_over_starttls(stage: Stage) -> None:
    bob, script = await stage.enter("slixmpp", "bob"), stage.account("script")
    await bob.logs_in()
    await pipe_to(go_sendxmpp(script, script.starttls_port, bob.jid), "the backup is done", script)
    await bob.hears(script.jid, "the backup is done")


async def test_go_sendxmpp_sends_a_line_over_direct_tls(stage: Stage) -> None:
    bob, script = await stage.enter("slixmpp", "bob"), stage.account("script")
    await bob.logs_in()
    await pipe_to(go_sendxmpp(script, script.direct_tls_port, "--tls", bob.jid), "the disk is full", script)
    await bob.hears(script.jid, "the disk is full")


async def test_what_go_sendxmpp_sends_to_someone_absent_waits_for_him(stage: Stage) -> None:
    bob, script = await stage.enter("slixmpp", "bob"), stage.account("script")
    await pipe_to(go_sendxmpp(script, script.starttls_port, bob.jid), "call the office", script)
    await bob.logs_in()
    await bob.hears(script.jid, "call the office")


async def test_sendxmpp_sends_a_line_over_starttls(stage: Stage) -> None:
    bob, script = await stage.enter("slixmpp", "bob"), stage.account("script")
    await bob.logs_in()
    login = ["-u", script.user, "-p", script.password, "-j", f"{script.host}:{script.starttls_port}"]
    await pipe_to(["sendxmpp", "-t", "-a", str(script.authority), *login, bob.jid], "the build is green", script)
    await bob.hears(script.jid, "the build is green")


def go_sendxmpp(script: Access, port: int, *more: str) -> Sequence[str]:
    """The command that logs in to `port`."""
    return ["go-sendxmpp", "-u", script.jid, "-p", script.password, "-j", f"{script.host}:{port}", *more]


async def pipe_to(command: Sequence[str], line: str, script: Access) -> None:
    """Run the command with `line` as its input; it must end well."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed: apt-get install {command[0]}")
    pipe, trust = asyncio.subprocess.PIPE, {"SSL_CERT_FILE": str(script.authority)}
    process = await asyncio.create_subprocess_exec(
        *command, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.STDOUT, env={**os.environ, **trust}
    )
    out, _ = await asyncio.wait_for(process.communicate(line.encode()), 30)
    assert process.returncode == 0, out.decode()
