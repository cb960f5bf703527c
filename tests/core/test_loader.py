"""Modules are found by name, attached whole, and leave nothing behind."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.core import specimens
from tests.core.specimens import Everything
from xmppd.api import Module
from xmppd.api.loader import Loader, bundled, find
from xmppd.config import ConfigError
from xmppd.host import Host
from xmppd.modules.ping import Ping
from xmppd.testing import FakeClock, TestServer, running
from xmppd.wire.features import State
from xmppd.xmpp.jid import JID

SPECIMENS = "tests.core.specimens"
clock = FakeClock()


@pytest.fixture
async def server() -> AsyncIterator[TestServer]:
    async with running(clock, modules={}) as running_server:
        yield running_server


@pytest.fixture
def host(server: TestServer) -> Host:
    return server.hosts["localhost"]


@pytest.fixture
def loader(host: Host) -> Loader:
    return Loader(host)


def attached(host: Host) -> dict[str, Any]:
    """All that a module can leave behind."""
    house = host.house
    return {
        "hooks": {name: hook.handlers for name, hook in vars(host.hooks).items()},
        "iq": dict(host.iq._answers),
        "features": +host.features,
        "account features": +host.account_features,
        "domains": dict(host.domains),
        "routes": set(house.router.domains),
        "commands": house.commands.names(),
        "metrics": len(house.metrics._sources),
        "stream features": [row.name for row in host.stream_features.possible(State.READY)],
        "modules": list(host.modules),
    }


def test_a_bundled_module_is_found_by_its_name() -> None:
    assert find("ping") is Ping
    assert "ping" in bundled()


def test_a_third_partys_is_found_by_its_path() -> None:
    assert find(SPECIMENS) is Everything


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pnig", 'modules.pnig: there is no such module (did you mean "ping"?)'),
        ("quux", "modules.quux: there is no such module; `xmppd modules` lists those that are here"),
        ("no.such.place", "modules.no.such.place: there is no such module; `xmppd modules` lists those that are here"),
        ("xmppd.clock", "modules.xmppd.clock: xmppd.clock has no class derived from xmppd.api.Module"),
    ],
)
def test_a_name_that_names_nothing(name: str, text: str) -> None:
    with pytest.raises(ConfigError) as error:
        find(name)
    assert str(error.value) == text


async def test_what_is_declared_is_attached(server: TestServer, host: Host, loader: Loader) -> None:
    await loader.start(SPECIMENS, Everything, {"color": "blue"})
    module = host.modules[SPECIMENS]
    assert isinstance(module, Everything)
    assert (module.running, module.name, module.options.color, module.options.size) == (True, SPECIMENS, "blue", 3)
    assert host.features["urn:test:everything"] == host.account_features["urn:test:account"] == 1
    assert host.domains == {"everything.localhost": SPECIMENS}
    assert await server.commands.call("everything") == 42
    assert [row.name for row in host.stream_features.possible(State.READY)] == ["everything"]
    await clock.advance(server, 30)
    assert module.ran == 3
    assert await host.house.storage.fetch("SELECT n FROM everything") == []
    await loader.unload_all()


async def test_stop_then_start_leaves_nothing_behind(server: TestServer, host: Host, loader: Loader) -> None:
    before = attached(host)
    for _ in range(3):
        module = await loader.start(SPECIMENS, Everything, {})
        assert attached(host) != before
        await loader.unload(SPECIMENS)
        assert attached(host) == before
        assert isinstance(module, Everything)
        assert not module.running
        await clock.advance(server, 30)
        assert module.ran == 0


async def test_every_bundled_module_leaves_nothing_behind(host: Host, loader: Loader) -> None:
    before = attached(host)
    for _ in range(2):
        await loader.reload({name: {} for name in bundled()})
        assert set(loader.modules) == set(bundled())
        await loader.unload_all()
        assert attached(host) == before


async def test_what_cannot_be_attached_whole_is_not_attached_at_all(host: Host, loader: Loader) -> None:
    """Two modules answer the same request: the second is refused, and the first goes on."""
    await loader.start(SPECIMENS, Everything, {})
    before = attached(host)
    with pytest.raises(ConfigError, match=r"modules\.second: two modules answer iq get urn:test:everything q"):
        await loader.start("second", specimens.Fails, {})
    assert attached(host) == before
    await loader.unload_all()


async def test_a_domain_is_served_once(host: Host, loader: Loader) -> None:
    await loader.start(SPECIMENS, Everything, {})
    with pytest.raises(ConfigError, match=r"everything\.localhost is served twice; give one of the two another name"):
        await loader.start("second", Everything, {})
    await loader.unload_all()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"colour": "red"}, 'modules.x.colour: unknown option (did you mean "color"?)'),
        ({"size": 11}, "modules.x.size: must be less than or equal to 10, not 11"),
        ({"size": "big"}, "modules.x.size: must be a valid integer"),
    ],
)
async def test_a_wrong_option_is_named(loader: Loader, options: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError) as error:
        await loader.start("x", Everything, options)
    assert str(error.value).startswith(text)
    assert loader.modules == {}


def depending(name: str, *depends: str) -> type[Module]:
    return type(name, (Module,), {"depends": depends})


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> dict[str, type[Module]]:
    """Modules by name, in place of installed ones."""
    kinds: dict[str, type[Module]] = {}
    monkeypatch.setattr("xmppd.api.loader.find", kinds.__getitem__)
    return kinds


async def test_dependencies_come_first(loader: Loader, named: dict[str, type[Module]]) -> None:
    named |= {"a": depending("A", "b", "c"), "b": depending("B", "c"), "c": depending("C")}
    await loader.reload({"a": {}, "b": {}, "c": {}})
    assert list(loader.modules) == ["c", "b", "a"]


async def test_a_missing_dependency_is_named(loader: Loader, named: dict[str, type[Module]]) -> None:
    named |= {"a": depending("A", "b")}
    with pytest.raises(ConfigError, match=r"modules\.a: needs the module b; add it to the configuration"):
        await loader.reload({"a": {}})


async def test_a_circle_is_refused(loader: Loader, named: dict[str, type[Module]]) -> None:
    named |= {"a": depending("A", "b"), "b": depending("B", "a")}
    with pytest.raises(ConfigError, match="depend on each other in a circle"):
        await loader.reload({"a": {}, "b": {}})
    assert loader.modules == {}


async def test_reload_stops_starts_and_changes(loader: Loader, named: dict[str, type[Module]]) -> None:
    named |= {"one": Everything, "two": depending("Two"), "three": depending("Three")}
    await loader.reload({"one": {}, "two": {}})
    kept = loader.modules["one"]
    changed = await loader.reload({"one": {"color": "green"}, "three": {}})
    assert sorted(changed) == ["one has new options", "three started", "two stopped"]
    assert loader.modules["one"] is kept
    assert kept.options.color == "green"
    assert await loader.reload({"one": {"color": "green"}, "three": {}}) == []
    await loader.unload_all()


async def test_a_wrong_option_changes_nothing_at_reload(loader: Loader, named: dict[str, type[Module]]) -> None:
    named |= {"one": Everything, "two": depending("Two")}
    await loader.reload({"one": {}})
    with pytest.raises(ConfigError):
        await loader.reload({"two": {}, "one": {"size": 99}})
    assert list(loader.modules) == ["one"]
    await loader.unload_all()


async def test_a_module_uses_another_by_name(loader: Loader, named: dict[str, type[Module]]) -> None:
    named |= {"one": Everything, "two": depending("Two", "one")}
    await loader.reload({"two": {}, "one": {}})
    two = loader.modules["two"]
    assert two.use("one") is loader.modules["one"]
    assert two.maybe("three") is None
    await loader.unload_all()


async def test_one_class_serves_each_host_by_itself() -> None:
    async with running(hosts=["one.test", "two.test"], modules={SPECIMENS: {}}) as server:
        one, two = (server.hosts[name].modules[SPECIMENS] for name in ("one.test", "two.test"))
        assert one is not two
        assert set(server.router.domains) >= {"everything.one.test", "everything.two.test"}
        assert JID.parse("everything.one.test").domain in server.hosts["one.test"].domains
