"""What another configuration changes while sessions stay."""

import asyncio
import gc
from collections.abc import AsyncIterator
from pathlib import Path
from shutil import copy
from typing import Any

import pytest
import yaml

from tests.kit.world import World, a_world
from xmppd.commands import CommandError
from xmppd.config import Config, ConfigError
from xmppd.server_commands.running import PartlyInForce
from xmppd.testing import settings


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world(modules={"ping": {}}) as world:
        yield world


async def reload(world: World, **changes: Any) -> list[str]:
    changes = {"modules": {"ping": {}}, "data_dir": world.server.config.data_dir} | changes
    return await world.server.reload(Config.from_dict(settings(**changes)))


async def test_nothing_has_changed(world: World) -> None:
    assert await reload(world) == []


async def test_a_temporary_data_folder_stays() -> None:
    async with a_world(modules={"ping": {}}) as world:
        folder = world.server.config.data_dir
        await reload(world, loglevel="info")
        gc.collect()
        assert (folder / "secret").exists()


async def test_fewer_sessions_from_now_on(world: World) -> None:
    phone = await world.session("alice/phone")
    assert await reload(world, limits={"max_sessions_per_user": 1}) == ["limits.max_sessions_per_user: changed"]
    desk = await world.dial()
    await desk.open()
    await desk.login("alice", "alice")
    reply = await desk.ask("<iq type='set'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
    assert reply.get("type") == "error"
    await phone.ping()


async def test_a_deeper_stanza_than_before_is_refused(world: World) -> None:
    phone = await world.session("alice/phone")
    deep = "<message>" + "<a>" * 20 + "</a>" * 20 + "</message>"
    phone.send(deep)
    await phone.receives_error("service-unavailable")
    await reload(world, limits={"max_stanza_depth": 10})
    phone.send(deep)
    await phone.receives_stream_error("policy-violation")


async def test_what_needs_a_restart_is_told_and_stays(world: World) -> None:
    limits = {"max_command_size": 9999, "max_queue": 99999}
    told = await reload(world, limits=limits, hosts=["localhost", "b.example"], auth={"scram_iterations": 5000})
    assert told[:2] == ["auth.scram_iterations: changed", "limits.max_queue: changed"]
    assert told[2:4] == ["hosts: needs a restart", "limits.max_command_size: needs a restart"]
    config = world.server.config
    assert config.hosts == ("localhost",)
    assert (config.limits.max_queue, config.limits.max_command_size) == (99999, 1048576)
    assert world.host.accounts.iterations == 5000
    assert await reload(world, limits=limits, auth={"scram_iterations": 5000}) == told[3:4]


async def test_a_shaper_holds_for_who_comes_next() -> None:
    listen = [{"port": 0, "ip": "127.0.0.1", "module": "c2s", "shaper": "slow"}]
    shaper = {"slow": {"rate": 5000, "burst": 9000}}
    async with a_world(modules={"ping": {}}, listen=listen, shaper=shaper) as world:
        (door,) = world.server.doors
        assert door.shaper == (5000, 9000)
        shaper = {"slow": {"rate": 5000, "burst": 8000}}
        assert await reload(world, shaper=shaper, listen=listen) == ["shaper.slow.burst: changed"]
        assert door.shaper == (5000, 8000)


async def test_other_certificates_are_taken_up(world: World, tmp_path: Path) -> None:
    made = world.server.shared
    assert made is not None
    (path,) = made.certificates.self_made
    copy(path, tmp_path)
    assert await reload(world, certfiles=[str(tmp_path / "*.pem")]) == ["certfiles: changed"]
    assert made.certificates.credential("localhost").certificate_file.parent == tmp_path


@pytest.mark.parametrize("where", ["certfiles", "modules"])
async def test_what_is_wrong_changes_nothing(world: World, tmp_path: Path, where: str) -> None:
    (tmp_path / "empty.pem").write_text("")
    wrong = {"certfiles": [str(tmp_path / "empty.pem")], "modules": {"offline": {}, "pong": {}}}
    before = world.server.config
    with pytest.raises(ConfigError, match=r"holds neither|there is no such module") as caught:
        await reload(world, limits={"max_sessions_per_user": 1}, **{where: wrong[where]})
    assert not isinstance(caught.value, PartlyInForce)
    assert world.server.config is before
    assert world.host.sessions.limit != 1
    assert set(world.host.modules) == {"ping"}


async def test_what_is_seen_to_be_wrong_too_late_is_told_so(tmp_path: Path) -> None:
    both: dict[str, Any] = {"hosts": ["localhost", "b.example"], "data_dir": str(tmp_path), "modules": {"ping": {}}}
    async with a_world(**both) as world:
        file = tmp_path / "xmppd.yml"
        world.server.config._file = file
        modules = {"ping": {}, "muc": {"host": "rooms.example"}}
        file.write_text(yaml.safe_dump(settings(**both | {"modules": modules})))
        with pytest.raises(CommandError, match=r"in force in part only; correct it and reload:\n  modules.muc: "):
            await world.server.commands.call("reload_config")
        assert "muc" in world.server.hosts["localhost"].modules
        assert "muc" not in world.server.hosts["b.example"].modules
        modules["muc"]["host"] = "rooms.@HOST@"
        file.write_text(yaml.safe_dump(settings(**both | {"modules": modules})))
        assert "muc started" in await world.server.commands.call("reload_config")


async def test_two_at_once_come_one_after_the_other(world: World) -> None:
    more = {"ping": {}, "roster": {}, "offline": {}, "private": {}}
    first, second = await asyncio.gather(reload(world, modules=more), reload(world, modules=more))
    assert first[-3:] == ["roster started", "offline started", "private started"]
    assert second == []
