"""XEP-0115: Entity Capabilities, the server's own in its stream features, and those of its clients, learnt once."""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from xmppd.api import (
    ConfigReloaded,
    Counter,
    Gauge,
    Module,
    ModuleOptions,
    PresenceChanged,
    Session,
    State,
    hook,
    option,
    stream_feature,
)
from xmppd.xmpp.caps import HASHES, NS_CAPS, Announcement, Disco
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.namespaces import DISCO_INFO
from xmppd.xmpp.stanza import serialise

NODE = "urn:xmppd:caps"  # names this software in the announcement; the same for every version, `ver` tells them apart
NOTHING: frozenset[str] = frozenset()
LONGEST_HASH, LONGEST_VER, LONGEST_NODE = 16, 128, 1024  # characters; SHA-512 in base64 has 88, nodes are URLs
LARGEST_ANSWER = 16384  # bytes; Gajim, which can do most, says it in 5 KB
MOST_ASKED = 256  # questions that may be open at once; who announces more than that is asked at its next presence
LONGEST_TAG = 512  # bytes; compared while it stays the same, so each session keeps it
CAPS = NS_CAPS.encode()

Key = tuple[str, str, str]  # hash, ver, and whom alone it holds for: a session's address, "" for everybody


@dataclass(slots=True)
class Announced:
    """What a session last said of itself, and what is known to stand behind it; sessions that say the same share it."""

    tag: bytes
    key: Key
    features: frozenset[str] = NOTHING


@dataclass(slots=True)
class Question:
    """What is asked of the first of these sessions; of the next one where its answer does not fit."""

    node: str
    sessions: list[Session] = field(default_factory=list)


class Caps(Module):
    """Announces the server's capabilities and knows what its clients can do."""

    features, depends, xeps = {NS_CAPS}, {"disco"}, {"0115": "1.6.0"}
    asked = Counter("Clients asked for their capabilities")
    refused = Counter("Answers of clients that do not fit the hash they announce")
    known = Gauge("Kinds of clients in memory", read=lambda caps: len(caps._cache))

    class Options(ModuleOptions):
        """How much is remembered."""

        cache_size: int = option(1000, "Kinds of clients remembered; a public server meets some 500", least=1)

    options: Options

    async def start(self) -> None:
        """Nothing is known yet."""
        self._cache: OrderedDict[Key, Announced] = OrderedDict()
        self._questions: dict[Key, Question] = {}
        self._modules: Sequence[object] = ()
        self._own: Announcement | None = None
        self._offer = ""

    async def stop(self) -> None:
        """What is still asked is of no interest."""
        self._questions.clear()

    # The server's own

    @property
    def node(self) -> str:
        """The disco#info node that answers with what the server announces, `urn:xmppd:caps#ver`; "" for none."""
        own = self._announcement()
        return own.query_node if own is not None else ""

    @stream_feature(
        "caps",
        needs=State.AUTHENTICATED,
        forbids=State.BOUND,
        advertise=lambda module, peer: module.advertisement(),
        order=70,
    )
    async def offered(self, *_: object) -> None:
        """It says what the server can do; there is nothing to negotiate (6.3)."""

    def advertisement(self) -> str:
        """The `<c/>` among the stream features (6.3)."""
        self._announcement()
        return self._offer

    def _announcement(self) -> Announcement | None:
        """Made anew where other modules are loaded than last time; features, identities and forms are theirs."""
        modules = tuple(self.host.modules.values())
        if modules != self._modules:
            self._modules = modules
            info: Disco = self.use("disco").info()
            flaw = info.flaw()
            if flaw:
                self.log.warning("the server announces no capabilities, for its disco#info has %s", flaw)
            self._own = None if flaw else Announcement(NODE, info.ver())
            self._offer = serialise(self._own.to_element()).decode() if self._own else ""
        return self._own

    @hook.config_reloaded
    def announce_anew(self, event: ConfigReloaded) -> None:
        """Options are part of what disco#info says."""
        self._modules = ()

    # Those of clients

    def features_of(self, session: Session) -> frozenset[str]:
        """What a session's client can do, as far as it has proved it: empty until it has answered (5.4)."""
        announced = session.state(NS_CAPS)
        return announced.features if isinstance(announced, Announced) else NOTHING

    @hook.presence_changed
    def note(self, event: PresenceChanged) -> None:
        """A session announces capabilities: take them from memory, or ask. The same tag again costs no parse."""
        stanza, session = event.stanza, event.session
        if not event.now or not stanza.has("c", NS_CAPS):
            return
        tag = _tag(stanza.letter)
        before = session.state(NS_CAPS)
        if tag and isinstance(before, Announced) and tag == before.tag:
            return
        # A copy is opened: the session keeps this stanza, and need not keep its tree.
        announcement = Announcement.find(stanza.replace().element)
        if announcement is None or not _proves_something(announcement):
            session.keep(NS_CAPS, None)
        else:
            self._take(session, announcement, tag)

    def _take(self, session: Session, announcement: Announcement, tag: bytes) -> None:
        owner = "" if announcement.algorithm in HASHES else session.jid
        key = (announcement.algorithm, announcement.ver, owner)
        known = self._cache.get(key)
        if known is not None:
            self._cache.move_to_end(key)
            session.keep(NS_CAPS, known if known.tag == tag else Announced(tag, key, known.features))
        elif not _announces(session, key):
            session.keep(NS_CAPS, Announced(tag, key) if self._wonder(session, key, announcement) else None)

    def _wonder(self, session: Session, key: Key, announcement: Announcement) -> bool:
        """Ask, or wait for the answer of another; False where too many questions are open."""
        question = self._questions.get(key)
        if question is None:
            if len(self._questions) >= MOST_ASKED:
                return False
            question = self._questions[key] = Question(announcement.query_node)
            self.host.house.timetable.after(0, partial(self._learn, key, question))
        question.sessions.append(session)
        return True

    async def _learn(self, key: Key, question: Question) -> None:
        """Ask one after the other until an answer fits; then it holds for all who announce the same."""
        features = NOTHING
        for session in question.sessions:  # it may grow meanwhile
            if self._questions.get(key) is not question:
                return
            found = await self._ask(session, key, question.node)
            if found is not None:
                features = found
                break
        if self._questions.get(key) is question:
            del self._questions[key]
            self._learnt(key, features, question.sessions)

    async def _ask(self, session: Session, key: Key, node: str) -> frozenset[str] | None:
        """What a client answers; None where it is gone or silent, or its answer does not fit (5.4, step 3)."""
        if not _announces(session, key) or self.host.sessions.find(session.jid) is not session:
            return None
        self.asked.inc()
        try:
            reply = await self.host.requests.ask(session.jid, Disco().to_element(node))
            answer = reply.child("query", DISCO_INFO)
        except StanzaError as error:
            self.log.debug("%s does not tell its capabilities: %s", session.jid, error)
            return None
        if answer is None or len(reply.letter) > LARGEST_ANSWER:
            return None
        disco = Disco.from_element(answer)
        algorithm, ver, owner = key
        if not owner and not disco.matches(ver, algorithm):
            self.refused.inc()
            self.log.info("%s announces capabilities that it does not have", session.jid)
            return None
        return frozenset(map(sys.intern, disco.features))

    def _learnt(self, key: Key, features: frozenset[str], sessions: Sequence[Session]) -> None:
        """Tell the sessions that wait, and remember it for others where it holds for them."""
        known: Announced | None = None
        for session in sessions:
            announced = session.state(NS_CAPS)
            if not isinstance(announced, Announced) or announced.key != key:
                continue
            announced.features = features
            known = known or announced
            if announced.tag == known.tag:
                session.keep(NS_CAPS, known)
        if known is not None and features and not key[2]:
            self._cache[key] = known
            while len(self._cache) > self.options.cache_size:
                self._cache.popitem(last=False)


def _announces(session: Session, key: Key) -> bool:
    announced = session.state(NS_CAPS)
    return isinstance(announced, Announced) and announced.key == key


def _proves_something(announcement: Announcement) -> bool:
    """Not so in the format before version 1.4, which has no hash, and where the parts are longer than any real one."""
    algorithm, ver, node = announcement.algorithm, announcement.ver, announcement.node
    return 0 < len(algorithm) <= LONGEST_HASH and len(ver) <= LONGEST_VER and len(node) <= LONGEST_NODE


def _tag(letter: bytes) -> bytes:
    """The tag as it stands in the letter, b"" where it is not plain to see; who hides it fools only itself."""
    at = letter.find(CAPS)
    tag = letter[letter.rfind(b"<", 0, at) : letter.find(b">", at) + 1]
    whole = tag.startswith(b"<c ") and tag.endswith(b"/>") and not tag.count(b"'") % 2 and not tag.count(b'"') % 2
    return tag if at > 0 and whole and len(tag) <= LONGEST_TAG else b""
