"""The decorators that mark a module's methods; the loader reads the marks, nothing happens before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from xmppd.routing.iq import Target
from xmppd.wire.features import Peer

Advertise = str | Callable[[Any, Peer], str]  # the element, or (module, peer) -> the element
Method = TypeVar("Method", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class IQMark:
    """Answers requests with one element."""

    type: Literal["get", "set"]
    target: Target
    name: str


@dataclass(frozen=True, slots=True)
class CommandMark:
    """Is an admin command."""

    name: str
    doc: str
    tags: frozenset[str]


@dataclass(frozen=True, slots=True)
class EveryMark:
    """Runs again and again."""

    seconds: float


@dataclass(frozen=True, slots=True)
class RouteMark:
    """Answers HTTP requests."""

    method: str
    path: str


@dataclass(frozen=True, slots=True)
class FeatureMark:
    """Is a stream feature; the method handles the element that begins it."""

    name: str
    tags: frozenset[str]
    needs: int
    forbids: int
    advertise: Advertise
    order: int


def iq_get(name: str, namespace: str, *, to: Target) -> Callable[[Method], Method]:
    """Answer `<iq type='get'/>` with this element, sent to the host or to an account of it.

    Returned element = result, None = empty result, `StanzaError` = error reply.
    """
    return _marking(IQMark("get", to, f"{namespace} {name}"))


def iq_set(name: str, namespace: str, *, to: Target) -> Callable[[Method], Method]:
    """Answer `<iq type='set'/>` with this element; see `iq_get`."""
    return _marking(IQMark("set", to, f"{namespace} {name}"))


def command(name: str, doc: str, *tags: str) -> Callable[[Method], Method]:
    """An admin command: xmppctl, REST and ad-hoc, from the method's signature. Names and arguments are ejabberd's."""
    return _marking(CommandMark(name, doc, frozenset(tags)))


def every(seconds: float) -> Callable[[Method], Method]:
    """Run the method each so many seconds, the first time after as many."""
    return _marking(EveryMark(seconds))


def http_route(method: str, path: str) -> Callable[[Method], Method]:
    """Answer HTTP requests, as `http_route("POST", "/bus/{room}")`, where a door has `modules` above that path.

    The method gets a `Request` and returns a `Response`, or None for an empty one. A `StanzaError` becomes the status
    that fits its condition. Who asks is nobody known: it is the method's business to check that.
    """
    return _marking(RouteMark(method, path))


def stream_feature(
    name: str,
    *tags: str,
    needs: int = 0,
    forbids: int = 0,
    advertise: Advertise = "",
    order: int = 50,
) -> Callable[[Method], Method]:
    """A stream feature: the method gets (peer, element) when a client begins it with one of `tags`.

    `advertise` is its element among the features, or a function of the module and the peer that gives it.
    """
    return _marking(FeatureMark(name, frozenset(tags), needs, forbids, advertise, order))


def _marking(mark: object) -> Callable[[Method], Method]:
    def decorate(method: Method) -> Method:
        method.__marks__ = [*getattr(method, "__marks__", ()), mark]  # type: ignore[attr-defined]
        return method

    return decorate
