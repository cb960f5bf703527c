"""A BOSH session as its connection manager sees it (XEP-0124): requests in their order in, answers out, by the clock.

It holds what its driver calls handles: whatever can be answered once. Times are seconds of a steady clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha1
from typing import Final, Generic, TypeVar

from .bosh_answers import EMPTY, ERROR, Answers, refusal
from .bosh_backlog import Backlog
from .bosh_body import BadBody, Body

OURS: Final = (1, 11)  # the version of XEP-0124
DEFAULT_WAIT: Final = 60
# Between two empty requests, where the one before is not answered (XEP-0124 11): more often is a client gone wild.
POLLING: Final = 2
PAIR: Final = 2  # what clients ask for that ask for more than one held request
MOST_REPEATS: Final = 20  # of requests, with no new one between them
REPORT_AFTER: Final = 1.0  # seconds; a younger answer may still be on its way
# Bytes that may wait to be handled while there is something to say: then it is said, as a TCP connection would.
EARLY: Final = 16384

H = TypeVar("H")


class Terminal(Exception):
    """The session, or the request for one, ends with this condition (XEP-0124 17.2)."""

    def __init__(self, condition: str) -> None:
        super().__init__(condition)
        self.condition = condition


@dataclass(frozen=True, slots=True)
class Offer:
    """What the server lets clients have; `wait`, `inactivity` and `maxpause` are seconds."""

    wait: int
    hold: int
    inactivity: int
    maxpause: int


class Held(Generic[H]):
    """A request that waits for its answer; without a handle its connection is gone."""

    __slots__ = ("handle", "rid", "since")

    def __init__(self, rid: int, handle: H | None, since: float) -> None:
        self.rid = rid
        self.handle = handle
        self.since = since


class Bosh(Generic[H]):
    """One session.

    `arrive` takes a request and returns those whose turn it is now; what must be answered, `flush` returns. Whoever
    handles them says in `backlog` what is not handled yet: it is answered when it is, or has been held long enough.
    So a client that keeps to `requests` cannot send faster than the server handles.
    """

    __slots__ = (
        "_acks", "_active", "_arrived", "_early", "_held", "_inactivity", "_key", "_offer", "_out", "_quiet",
        "_repeats", "answers", "backlog", "hold", "legacy", "requests", "rid", "wait",
    )  # fmt: skip

    def __init__(self, sid: str, body: Body, handle: H, offer: Offer, now: float) -> None:
        """Begin with the request that creates it. Raises `BadBody`."""
        self.rid = body.rid
        self.wait = min(body.number("wait", DEFAULT_WAIT), offer.wait)
        asked = body.number("hold", 1)
        self.hold = min(asked, offer.hold) if self.wait else 0
        # XEP-0124 7.2 wants more than the `hold` that was asked for, so that one is left to speak with while so many
        # are held. Past `PAIR`, one more than is granted leaves one too; and each that a client may send is a request
        # and an answer that may have to be kept.
        self.requests = max(2, min(asked, max(offer.hold, PAIR)) + 1)
        self.legacy = "ver" not in body.attributes
        self._offer = offer
        self._acks = body.attributes.get("ack") == "1"
        self._key = body.attributes.get("newkey", "").lower()
        self._inactivity = float(offer.inactivity)
        self._held = [Held[H](self.rid, handle, now)]
        self._early: dict[int, tuple[Body, H]] | None = None
        self._out: list[tuple[H, bytes]] = []
        self._repeats = 0
        self._arrived = self._active = now
        self._quiet = False  # the last request was empty, and so was its answer
        self.backlog: Backlog | None = None
        self.answers = Answers(self.requests, acks=self._acks)
        self.answers.greet(
            f" sid='{sid}' wait='{self.wait}' requests='{self.requests}' hold='{self.hold}'{_version(body)}"
            f" polling='{POLLING}' inactivity='{offer.inactivity}' maxpause='{offer.maxpause}'"
        )
        if self._acks:
            self.answers.greet(f" ack='{self.rid}'")

    # Requests

    def arrive(self, body: Body, handle: H, now: float) -> list[Body]:
        """Take a request; return the bodies whose turn has come. Raises `Terminal`, or `BadBody`."""
        rid = body.rid
        if rid <= self.rid:
            self._repeat(rid, handle, now)
            return []
        last = body.terminate or "pause" in body.attributes
        if rid > self.rid + self.requests + last:
            raise Terminal("item-not-found")
        if rid == self.rid + 1 and self._early is None:
            self._accept(body, handle, now)
            return [body]
        return self._out_of_order(rid, body, handle, now)

    def _out_of_order(self, rid: int, body: Body, handle: H, now: float) -> list[Body]:
        early = self._early = self._early or {}
        if rid in early:
            self._out.append((early[rid][1], ERROR))
        early[rid] = (body, handle)
        turn = []
        while found := early.pop(self.rid + 1, None):
            self._accept(*found, now)
            turn.append(found[0])
        if not early:
            self._early = None
        return turn

    def _accept(self, body: Body, handle: H, now: float) -> None:
        attributes = body.attributes
        if self._key:
            self._check_key(attributes)
        self.rid += 1
        self.answers.acknowledged(self.rid - self.requests)
        self._held.append(Held(self.rid, handle, now))
        self._repeats = 0
        self._inactivity = float(self._offer.inactivity)
        pause = body.number("pause", 0) if "pause" in attributes else 0
        if 0 < pause <= self._offer.maxpause:
            self._pause(pause, now)
        elif not body.terminate:
            self._check_pace(not body.inner and not body.restart, now)
        if self._acks:
            self._hear(attributes.get("ack"), now)
        self._arrived = self._active = now

    def _check_key(self, attributes: dict[str, str]) -> None:
        """XEP-0124 15: each key is the one whose hash came before it."""
        key = attributes.get("key", "").lower()
        if sha1(key.encode(), usedforsecurity=False).hexdigest() != self._key:
            raise Terminal("item-not-found")
        self._key = attributes.get("newkey", key).lower()

    def _check_pace(self, empty: bool, now: float) -> None:
        """XEP-0124 11 and 12."""
        waiting = self._waiting
        if waiting > self.requests:
            raise Terminal("policy-violation")
        soon = empty and now - self._arrived < POLLING
        if soon and (waiting == self.requests if self.hold else self._quiet):
            raise Terminal("policy-violation")
        self._quiet = empty

    def _pause(self, seconds: int, now: float) -> None:
        """Answer all requests, without payloads, and expect none for a while (XEP-0124 10)."""
        self._skip(len(self._held), now)
        self._inactivity = float(seconds)

    def _hear(self, ack: str | None, now: float) -> None:
        """What the client says that it has received (XEP-0124 9.2)."""
        received = int(ack) if ack is not None and ack.isdecimal() and len(ack) <= 16 else self.rid - 1
        self.answers.acknowledged(received)
        missing = next(iter(self.answers.sent), None)
        if ack is not None and missing is not None and now - missing.at >= REPORT_AFTER:
            self.answers.report(missing, now)

    def _repeat(self, rid: int, handle: H, now: float) -> None:
        """XEP-0124 14.3."""
        self._repeats += 1
        if self._repeats > MOST_REPEATS:
            raise Terminal("policy-violation")
        for held in self._held:
            if held.rid == rid:
                if held.handle is not None:
                    self._out.append((held.handle, ERROR))
                held.handle, held.since = handle, now
                return
        answered = self.answers.answered(rid)
        if answered is None:
            raise Terminal("item-not-found")
        self._out.append((handle, answered.xml))
        self._active = now

    def drop(self, handle: H, now: float) -> None:
        """There is nobody behind this handle any more; the client may repeat its request."""
        for held in self._held:
            if held.handle == handle:
                held.handle = None
                self._active = now

    # Answers

    def flush(self, now: float) -> list[tuple[H, bytes]]:
        """What is to be answered now."""
        held = self._held
        if len(held) > self.requests + 1:  # their connections are gone, and nobody has repeated them
            self._skip(len(held) - self.requests - 1, now)
        while held and self.answers.pending and (at := self._oldest()) is not None and self._may_answer(at, EARLY):
            self._tell(at, now)
        if len(held) > self.hold:
            while self._waiting > self.hold and self._may_answer(first := self._oldest() or 0):
                self._skip(first + 1, now)
        out, self._out = self._out, []
        return out

    def _may_answer(self, at: int, unhandled: int = 0) -> bool:
        """Whether what this request brought is handled, or no more than so many bytes wait for that."""
        backlog = self.backlog
        return backlog is None or self._held[at].rid < backlog.rid or backlog.size <= unhandled

    def _tell(self, at: int, now: float) -> None:
        """Answer this request with what there is to say."""
        self._skip(at, now)
        self._quiet = False
        first = self._held.pop(0)
        self._answer(first, self.answers.load(first.rid, self.rid, now), now)

    @property
    def _waiting(self) -> int:
        return sum(each.handle is not None for each in self._held)

    def _oldest(self) -> int | None:
        """Which of those held is the first that somebody waits for."""
        return next((at for at, each in enumerate(self._held) if each.handle is not None), None)

    def _skip(self, number: int, now: float) -> None:
        """Answer the first ones with nothing; those whose connections are gone count as answered too."""
        for held in self._held[:number]:
            self._answer(held, self.answers.empty(held.rid, self.rid, now), now)
        del self._held[:number]

    def _answer(self, held: Held[H], xml: bytes, now: float) -> None:
        self._active = now
        if held.handle is not None:
            self._out.append((held.handle, xml))

    # Time, and the end

    def due(self, now: float, slack: float) -> float | None:
        """Answer what was held long enough; when to ask again, None where the client has left.

        Requests are answered up to `slack` seconds early: never later than was agreed upon.
        """
        while (at := self._oldest()) is not None and self._held[at].since + self.wait - slack <= now:
            if self.answers.pending:
                self._tell(at, now)
            else:
                self._skip(at + 1, now)
        if at is not None:
            return self._held[at].since + self.wait - slack
        end = self._active + self._inactivity
        return end if now < end else None

    def finish(self, condition: str, offender: H | None = None) -> tuple[list[tuple[H, bytes]], bytes]:
        """End the session: what to answer now, and what to say to who asks later (XEP-0124 13, 17.2).

        What is queued goes with the end, but not where `condition` is "", an end in order: who ends its session wants
        nothing more, and some clients break on it. The `offender` is the request that broke the rules; the others are
        told so.
        """
        out, self._out = self._out, []
        told = f" type='terminate' condition='{condition}'" if condition else " type='terminate'"
        waiting = [each.handle for each in self._held if each.handle is not None and each.handle is not offender]
        waiting += [handle for _, handle in (self._early or {}).values() if handle is not offender]
        first = offender if offender is not None else next(iter(waiting), None)
        rids = [each.rid for each in self._held if each.handle is first] or [self.rid]
        self._early = self.backlog = None
        self._held.clear()
        if first is None:
            return out, self.answers.last_words(told)
        if not condition:
            goodbye = self.answers.goodbye()
            return [*out, (first, goodbye), *((handle, EMPTY) for handle in waiting[1:])], goodbye
        last = self.answers.last(rids[0], self._active, told)
        others = refusal("other-request" if offender is not None else condition)
        answers = [*out, (first, last), *((handle, others) for handle in waiting if handle is not first)]
        return answers, self.answers.last_words(told)


def _version(body: Body) -> str:
    """What to say to the client's version; nothing to who has none (XEP-0124 17.1)."""
    text = body.attributes.get("ver")
    if text is None:
        return ""
    major, _, minor = text.partition(".")
    if not (major.isdecimal() and (minor or "0").isdecimal() and len(text) <= 10):
        raise BadBody("ver must be a version, as 1.11")
    ours = min((int(major), int(minor or "0")), OURS)
    return f" ver='{ours[0]}.{ours[1]}'"
