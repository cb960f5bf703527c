"""The invalidation bus: rooms of the right shape, publishing over HTTP for programs that are no members, and counters.

Members of a cluster join a room; who changes a resource says its id there. `docs/protocols/bus.md` is the wire format.
It works in any room; this adds what a server can: rooms that stand in the configuration, `POST /bus/ROOM`, where the
room itself becomes an origin that members follow and confirm like any other, and figures.
"""

from __future__ import annotations

import json
import math
from typing import Any, Final
from urllib.parse import parse_qsl

from xmppd.api import (
    ConfigError,
    ConfigReloaded,
    Counter,
    Event,
    Gauge,
    Histogram,
    Host,
    Module,
    ModuleOptions,
    Request,
    Response,
    StorageError,
    every,
    hook,
    http_route,
)
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID

from .barriers import Barrier
from .names import DONE, NS_BUS, read_ids
from .options import BusOptions, RoomOptions
from .room import BusRoom, members_in
from .tokens import Tokens

TIMEOUT: Final = 1.0  # seconds that a request waits for members where it does not say
SHAPE: Final = {
    "persistent": True, "mam": True, "maxhistoryfetch": 0, "public": False, "moderated": False, "max_users": 0,
    "password_protected": False, "password": "", "allowpm": "anyone", "allow_change_subj": False,
    "presence_broadcast": frozenset({"visitor", "participant", "moderator"}),
}  # fmt: skip


class Bus(Module):
    """Keeps the rooms that are configured, and takes what is published in them over HTTP."""

    features = {NS_BUS}
    depends = {"muc", "mam"}
    published = Counter("Invalidations said in rooms of the bus, by members, people and over HTTP").by("room")
    delivered = Counter("Copies of invalidations on their way to occupants").by("room")
    resets = Counter("Times that a member has dropped everything, for it may have missed something").by("room")
    posted = Counter("Requests to publish over HTTP").by("outcome")
    barriers = Histogram("Seconds until all members had confirmed an invalidation, where all did")
    unconfirmed = Counter("Invalidations over HTTP that some member has not confirmed in time")
    members = Gauge("Members in the rooms now", read=lambda bus: bus.count_members())

    class Options(BusOptions):
        """What the administrator can choose."""

    options: Options

    def __init__(self, host: Host, options: ModuleOptions) -> None:
        super().__init__(host, options)
        self.rooms: dict[str, BusRoom] = {}
        self._tokens = Tokens(self.clock.monotonic)
        self._waiting = 0

    async def start(self) -> None:
        """Make the rooms, or bring them to their shape; nobody has to join for that."""
        self.rooms_service = self.use("muc")
        self.rooms_service.messages[DONE] = self.hear
        await self._take_up()

    async def stop(self) -> None:
        """The rooms stay as they are."""
        self.rooms_service.messages.pop(DONE, None)
        for room in self.rooms.values():
            self._let_go(room)

    @hook.config_reloaded
    async def change(self, event: ConfigReloaded) -> None:
        """Rooms and tokens are what the configuration says now."""
        for name in [name for name in self.rooms if name not in self.options.rooms]:
            self._let_go(self.rooms.pop(name))
        await self._take_up()

    async def _take_up(self) -> None:
        self._tokens.take_up(self.options.rooms)
        for name in self.options.rooms:
            room = self.rooms.get(name)
            if room is None:
                room = self.rooms[name] = BusRoom(self, JID(name, self.rooms_service.domain))
            try:
                if await self.shape(room):
                    room.remember_earlier()
            except StanzaError as error:
                raise ConfigError([f"modules.{self.name}.rooms.{name}: {error.text or error.condition}"]) from None

    async def shape(self, room: BusRoom) -> bool:
        """Make a room, or bring it to its shape; whether it was there before."""
        wanted = self.options.rooms.get(room.jid.local) or RoomOptions()
        members = [JID.parse(member) for member in wanted.members]
        settings = {**SHAPE, "members_only": bool(members)}
        return bool(await self.rooms_service.keep(room.jid, room, settings, members if members else None))

    def _let_go(self, room: BusRoom) -> None:
        self.rooms_service.release(room.jid)
        room.close()

    # What members say to the room itself

    async def hear(self, room: Any, event: Event) -> bool:
        """A member confirms what the room has said; False where the room is none of these."""
        stanza, own = event.stanza, self.rooms.get(room.jid.local)
        occupant = room.occupants.by_jid(stanza.sender)
        if own is None or occupant is None:
            return False
        own.done(stanza, occupant.nick)
        return True

    @every(1)
    async def beat(self) -> None:
        """Let members notice what they have missed."""
        for room in list(self.rooms.values()):
            try:
                await room.turn()
            except StanzaError as error:
                self.log.warning("%s cannot be told what was said last: %s", room.jid, error)

    def took(self, seconds: float) -> None:
        """All have confirmed an invalidation."""
        self.barriers.observe(seconds)

    def count_members(self) -> int:
        """In all rooms."""
        return sum(len(members_in(self.rooms_service.occupants_of(room.jid))) for room in self.rooms.values())

    # Publishing over HTTP

    @http_route("POST", "/bus/{room}")
    async def publish(self, request: Request) -> Response:
        """Say the ids in the body, one a line. Answered when they are on disk; with `confirm`, when members are done.

        200: the ids of the messages. 400: no ids, or what is none. 401: no token, or a wrong one. 403: it is not good
        for this room. 404: no such room. 413: too much. 429: too often, or too many wait. 503: not on disk.
        """
        try:
            response = await self._publish(request)
        except StanzaError as error:
            self.posted[error.condition].inc()
            raise
        self.posted["done" if response.status == 200 else "not-authorized"].inc()
        return response

    async def _publish(self, request: Request) -> Response:
        authorization = request.headers.get("authorization", "")
        good = self._tokens.rooms(authorization)
        if not good:
            challenge = {"WWW-Authenticate": 'Bearer realm="bus"'}
            return Response("a token is needed: Authorization: Bearer TOKEN\n", 401, headers=challenge)
        room = self.rooms.get(request.arguments["room"].lower())
        if room is None:
            raise StanzaError("item-not-found", "there is no such room; see `rooms` in the configuration")
        if room.jid.local not in good:
            raise StanzaError("forbidden", "this token is for other rooms")
        if not self._tokens.take(authorization, self.options.rate):
            raise StanzaError("resource-constraint", "too many requests with this token; try again in a second")
        seconds = self._wish(request.query)
        ids = read_ids(request.body)
        if seconds is None:
            return _answer(request, await self._say(room, ids, None), None)
        return await self._confirmed(request, room, ids, seconds)

    async def _confirmed(self, request: Request, room: BusRoom, ids: list[str], seconds: float) -> Response:
        if self._waiting >= self.options.max_waiting:
            raise StanzaError("resource-constraint", "too many requests wait for members; try again soon")
        barrier, began = Barrier(), self.clock.monotonic()
        self._waiting += 1
        try:
            said = await self._say(room, ids, barrier)
            await barrier.wait(seconds)
        finally:
            self._waiting -= 1
            room.forget(barrier)
        if barrier.missing:
            self.unconfirmed.inc()
        else:
            self.took(self.clock.monotonic() - began)
        return _answer(request, said, barrier)

    async def _say(self, room: BusRoom, ids: list[str], barrier: Barrier | None) -> list[str]:
        said = await room.publish(ids, barrier)
        try:
            for message in said:
                await message.on_disk()
        except StorageError as error:
            raise StanzaError("service-unavailable", "it was said, but the archive has not kept it") from error
        return [message.id for message in said]

    def _wish(self, query: str) -> float | None:
        """The seconds to wait for members; None where nobody is to be waited for."""
        asked = dict(parse_qsl(query, keep_blank_values=True))
        confirm, timeout = asked.pop("confirm", "0"), asked.pop("timeout", "")
        if asked or confirm not in ("0", "1", "false", "true"):
            raise StanzaError("bad-request", "a query may say confirm=1, and timeout=SECONDS")
        seconds = _seconds(timeout) if timeout else min(TIMEOUT, self.options.max_timeout)
        if not 0 <= seconds <= self.options.max_timeout:
            raise StanzaError("bad-request", f"timeout is 0 to {self.options.max_timeout:g} seconds")
        return seconds if confirm in ("1", "true") else None


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        return -1.0
    return seconds if math.isfinite(seconds) else -1.0


def _answer(request: Request, ids: list[str], barrier: Barrier | None) -> Response:
    """The ids of the messages, then who has not confirmed them; as JSON for who asks for it."""
    if "application/json" in request.headers.get("accept", "").lower():
        said: dict[str, Any] = {"ids": ids}
        if barrier is not None:
            said |= {"confirmed": barrier.confirmed, "missing": barrier.missing}
        return Response(json.dumps(said) + "\n", content_type="application/json")
    missing = [] if barrier is None else [f"missing {nick}" for nick in barrier.missing]
    return Response("\n".join([*ids, *missing, ""]))
