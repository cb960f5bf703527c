"""Finds modules by name, attaches what they declare, and detaches it in reverse."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import entry_points
from pkgutil import iter_modules
from typing import Any

from pydantic import ValidationError

from xmppd.commands import describe
from xmppd.config import ConfigError, explain
from xmppd.host import Host
from xmppd.nearest import did_you_mean
from xmppd.routes import Route
from xmppd.routing.hooks import Mark
from xmppd.wire.features import StreamFeature

from .declare import CommandMark, EveryMark, FeatureMark, IQMark, RouteMark
from .module import Module

BUNDLED = "xmppd.modules"
Undo = Callable[[], object]


def bundled() -> list[str]:
    """The names of the modules that come with the server."""
    package = importlib.import_module(BUNDLED)
    return sorted(found.name for found in iter_modules(package.__path__) if not found.name.startswith("_"))


def find(name: str) -> type[Module]:
    """The module class of a name: bundled, an entry point of `xmppd.modules`, or a dotted path. `ConfigError` else."""
    path = name if "." in name else f"{BUNDLED}.{name}"
    for entry in entry_points(group="xmppd.modules", name=name):
        found: type[Module] = entry.load()
        return found
    try:
        imported = importlib.import_module(path)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{path}.".startswith(f"{error.name}."):
            raise
        hint = did_you_mean(name, bundled()) or "; `xmppd modules` lists those that are here"
        raise ConfigError([f"modules.{name}: there is no such module{hint}"]) from None
    for value in vars(imported).values():
        if isinstance(value, type) and issubclass(value, Module) and value.__module__.startswith(path):
            return value
    raise ConfigError([f"modules.{name}: {path} has no class derived from xmppd.api.Module"])


def marks(kind: type[Module]) -> Iterator[tuple[str, object]]:
    """The marks on a class's methods: (method name, mark)."""
    for name in dir(kind):
        for mark in getattr(getattr(kind, name, None), "__marks__", ()):
            yield name, mark


class Loader:
    """The modules of one host."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.modules: dict[str, Module] = {}
        self._undo: dict[str, ExitStack] = {}
        host.modules = self.modules

    async def load(self) -> None:
        """Load all that the host's configuration names, in the order of their dependencies."""
        configured = self._host.config.modules
        kinds = {name: find(name) for name in configured}
        for name in _ordered(kinds):
            await self.start(name, kinds[name], configured[name])

    async def start(self, name: str, kind: type[Module], options: Mapping[str, Any]) -> Module:
        """Start one module: options checked, tables made, then attached."""
        module = kind(self._host, self._options(name, kind, options))
        module.name = name
        if kind.migrations:
            await self._host.house.storage.migrate(name, kind.migrations)
        await module.start()
        try:
            self._undo[name] = self._attach_all(module)
        except BaseException as error:
            await module.stop()
            if isinstance(error, ValueError):  # two want the same: a request, a domain, a command
                raise ConfigError([f"modules.{name}: {error}"]) from None
            raise
        self.modules[name] = module
        return module

    async def unload(self, name: str) -> None:
        """Detach one module and stop it."""
        module = self.modules.pop(name)
        self._undo.pop(name).close()
        await module.stop()

    async def unload_all(self) -> None:
        """Stop every module, the last one loaded first."""
        for name in reversed(list(self.modules)):
            await self.unload(name)

    async def reload(self, options: Mapping[str, Mapping[str, Any]]) -> list[str]:
        """Bring the modules to another configuration; returns what was started, stopped or given new options."""
        kinds = {name: find(name) for name in options}
        checked = {name: self._options(name, kinds[name], options[name]) for name in options}
        changed = []
        for name in [name for name in reversed(list(self.modules)) if name not in options]:
            await self.unload(name)
            changed.append(f"{name} stopped")
        for name in _ordered(kinds):
            if name not in self.modules:
                await self.start(name, kinds[name], options[name])
                changed.append(f"{name} started")
            elif self.modules[name].options != checked[name]:
                self.modules[name].options = checked[name]
                changed.append(f"{name} has new options")
        return changed

    def _options(self, name: str, kind: type[Module], options: Mapping[str, Any]) -> Any:
        try:
            return kind.Options.model_validate(dict(options), context={"folder": self._host.house.config.folder})
        except ValidationError as error:
            raise ConfigError(explain(error, kind.Options, f"modules.{name}")) from None

    def _attach_all(self, module: Module) -> ExitStack:
        """Attach everything, or nothing where that fails; the stack detaches it, the last one first."""
        with ExitStack() as stack:
            for undo in self._attach(module):
                stack.callback(undo)
            return stack.pop_all()

    def _attach(self, module: Module) -> Iterator[Undo]:
        host = self._host
        for counter, features in (
            (host.features, module.features),
            (host.account_features, module.account_features),
            (host.bind_features, module.bind_features),
        ):
            counter.update(features)
            yield lambda counter=counter, features=features: counter.subtract(features)  # type: ignore[misc]
        host.house.metrics.add(module, module.name, host=host.name)
        yield lambda: host.house.metrics.remove(module)
        domain = module.serves()
        if domain:
            host.house.router.add(domain, module)
            host.domains[domain] = module.name
            yield lambda: host.domains.pop(domain)
            yield lambda: host.house.router.remove(domain)
        for method, mark in marks(type(module)):
            yield self._attach_mark(getattr(module, method), mark)

    def _attach_mark(self, method: Any, mark: object) -> Undo:
        host = self._host
        match mark:
            case Mark(hook, stage, kinds):
                getattr(host.hooks, hook).add(method, stage, kinds)
                return lambda: getattr(host.hooks, hook).remove(method)
            case IQMark(type, target, name):
                host.iq.add(type, target, name, method)
                return lambda: host.iq.remove(type, target, name)
            case CommandMark(name, doc, tags):
                described = describe(method, name, doc, tags)
                host.house.commands.add(described, host.name)
                return lambda: host.house.commands.remove(name, host.name)
            case EveryMark(seconds):
                return host.house.timetable.every(seconds, method).cancel
            case RouteMark(verb, path):
                route = Route(verb, path, method)
                host.house.routes.add(host.name, route)
                return lambda: host.house.routes.remove(host.name, route)
            case FeatureMark():
                row = _row(method, mark)
                host.stream_features.add(row)
                return lambda: host.stream_features.remove(row)
        raise TypeError(f"{mark!r} is no mark of a module")


def _row(method: Any, mark: FeatureMark) -> StreamFeature[Any]:
    offer = mark.advertise
    advertise = partial(offer, method.__self__) if callable(offer) else lambda peer: offer
    return StreamFeature(mark.name, mark.tags, mark.needs, mark.forbids, advertise, method, mark.order)


def _ordered(kinds: Mapping[str, type[Module]]) -> list[str]:
    for name, kind in kinds.items():
        missing = [needed for needed in kind.depends if needed not in kinds]
        if missing:
            raise ConfigError([f"modules.{name}: needs the module {missing[0]}; add it to the configuration"])
    try:
        return list(TopologicalSorter({name: kind.depends for name, kind in kinds.items()}).static_order())
    except CycleError as error:
        raise ConfigError([f"modules: {' -> '.join(error.args[1])} depend on each other in a circle"]) from None
