"""xmppctl, as administrators and their scripts call it: with a running server, and without one."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from xmppd.cli.xmppctl import main
from xmppd.config import load
from xmppd.server import Server
from xmppd.testing import settings

Call = Callable[..., Awaitable[str]]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "xmppd.yml"
    write(file, hosts=["a.example", "b.example"], modules={"ping": {}})
    return file


def write(file: Path, **changes: object) -> None:
    file.write_text(yaml.safe_dump(settings(data_dir=".", **changes)))


def invoke(file: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["-c", str(file), *words])


@pytest.fixture
async def server(file: Path) -> AsyncIterator[Server]:
    async with Server(load(file)) as server:
        yield server


@pytest.fixture
def ctl(file: Path) -> Call:
    """Calls xmppctl beside the server; the result is what it prints."""

    async def call(*words: str, code: int = 0) -> str:
        result = await asyncio.to_thread(invoke, file, *words)
        assert result.exit_code == code, result.output
        return result.output

    return call


async def test_accounts_of_a_running_server(server: Server, ctl: Call) -> None:
    assert await ctl("register", "Alice", "a.example", "secret") == "alice@a.example is registered\n"
    assert "the account alice exists" in await ctl("register", "alice", "a.example", "x", code=1)
    await ctl("register", "bob", "a.example", "-secret")
    assert await ctl("registered_users", "a.example") == "alice\nbob\n"
    assert await ctl("--json", "registered_users", "b.example") == "[]\n"
    assert await ctl("registered_users", "b.example", "--json") == "[]\n"
    assert await ctl("check_account", "alice", "a.example") == ""
    assert "there is no account eve@a.example" in await ctl("check_account", "eve", "a.example", code=1)
    await ctl("change_password", "alice", "a.example", "another")
    assert await ctl("check_password", "alice", "a.example", "another") == ""
    assert "not the password" in await ctl("check_password", "alice", "a.example", "secret", code=1)
    assert "no account eve" in await ctl("change_password", "eve", "a.example", "x", code=1)
    assert await ctl("unregister", "alice", "a.example") == "alice@a.example is removed\n"
    assert "c.example is not served here; hosts: a.example, b.example" in await ctl(
        "register", "x", "c.example", "y", code=1
    )
    assert await server.hosts["a.example"].accounts.names() == ["bob"]


async def test_accounts_without_a_server(file: Path, ctl: Call) -> None:
    await ctl("register", "alice", "a.example", "secret")
    assert await ctl("registered_users", "a.example") == "alice\n"
    assert await ctl("--json", "registered_vhosts") == '["a.example", "b.example"]\n'
    assert file.with_name("xmppd.sqlite").exists()
    assert not file.with_name("control.sock").exists()


async def test_what_needs_a_server_says_so(ctl: Call) -> None:
    said = await ctl("status", code=1)
    assert "no server runs on " in said
    assert "start it with `xmppd run`" in said
    assert '(did you mean "status"?)' in await ctl("statos", code=1)
    assert "USER is missing; usage: register USER HOST PASSWORD" in await ctl("register", code=1)


async def test_the_state_of_the_server(server: Server, ctl: Call) -> None:
    state = json.loads(await ctl("--json", "status"))
    assert state["status"] == "started"
    assert state["hosts"] == ["a.example", "b.example"]
    assert state["doors"] == [door.description for door in server.doors]
    assert await ctl("modules_installed") == "a.example\tping\nb.example\tping\n"
    assert await ctl("connected_users_number") == "0\n"
    assert await ctl("connected_users") == ""


async def test_stop(server: Server, ctl: Call) -> None:
    assert await ctl("stop") == "the server is stopping\n"
    await asyncio.wait_for(server.run_until_stopped(), 10)


async def test_reload_config_says_what_changed(server: Server, file: Path, ctl: Call) -> None:
    assert await ctl("reload_config") == "nothing has changed\n"
    write(file, hosts=["a.example"], modules={"ping": {}}, limits={"max_queue": 100000})
    said = await ctl("reload_config")
    assert "limits.max_queue: changed\n" in said
    assert "hosts: needs a restart\n" in said
    assert server.config.limits.max_queue == 100000


async def test_a_wrong_configuration_changes_nothing(server: Server, file: Path, ctl: Call) -> None:
    write(file, modules={"pong": {}}, limits={"max_queue": 100000})
    said = await asyncio.to_thread(invoke, file, "reload_config")
    assert said.exit_code == 1
    assert "all stays as it was:\n  modules.pong: there is no such module" in said.output
    assert server.config.limits.max_queue != 100000


async def test_a_configuration_that_cannot_be_read(tmp_path: Path) -> None:
    result = await asyncio.to_thread(invoke, tmp_path / "none.yml", "status")
    assert result.exit_code == 1
    assert "none.yml: cannot be read: No such file or directory; name another file with -c" in result.output


def test_help_lists_the_commands_by_what_they_are_about(file: Path) -> None:
    said = invoke(file, "--help").output
    assert "register USER HOST PASSWORD" in said
    assert said.index("accounts:") < said.index("\nsession:") < said.index("\nserver:")
    said = invoke(file, "kick_session", "--help").output
    assert said.startswith("Usage: xmppctl kick_session USER HOST RESOURCE [REASON]")
    assert "End one session" in said
    assert '(did you mean "register"?)' in invoke(file, "registr", "--help").output


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_for_each_shell(file: Path, shell: str) -> None:
    result = invoke(file, "completion", shell)
    assert result.exit_code == 0
    assert "_XMPPCTL_COMPLETE" in result.output


def test_completion_completes_command_names(file: Path) -> None:
    environment = {"_XMPPCTL_COMPLETE": "bash_complete", "COMP_WORDS": f"xmppctl -c {file} kick", "COMP_CWORD": "3"}
    result = CliRunner().invoke(main, env=environment, prog_name="xmppctl")
    assert result.output.split() == ["plain,kick_session", "plain,kick_user"]
