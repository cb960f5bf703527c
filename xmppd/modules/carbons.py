"""XEP-0280: Message Carbons, copies of what is said with other devices of the same account."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Final

from xmppd.api import (
    ACCOUNT,
    COPY,
    DIRECT,
    FILTER,
    IQ,
    SHARED,
    STOP,
    Action,
    Bound,
    Counter,
    Event,
    Host,
    Module,
    ModuleOptions,
    Session,
    SessionEvent,
    Verdict,
    choose,
    hook,
    iq_set,
)
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.namespaces import BODY, CARBONS, CHAT_STATES, CLIENT, FORWARD, HINTS, MAM, MUC_USER, SID
from xmppd.xmpp.passage import Passage, of_copy
from xmppd.xmpp.stanza import Stanza, escape

STATE: Final = "carbons"  # of a session: whether it wants copies
COPIES: Final = frozenset({f"{CARBONS} received", f"{CARBONS} sent"})
UNCOPIED: Final = frozenset({f"{CARBONS} private", f"{HINTS} no-copy", f"{MAM} result", *COPIES})
IN_ROOMS: Final = f"{MUC_USER} x"
INVITATIONS: Final = frozenset({"jabber:x:conference x", IN_ROOMS})
INSTANT: Final = (f"{CHAT_STATES} ", "urn:xmpp:receipts ", "urn:xmpp:chat-markers:0 ")
NOBODY: Final[tuple[Session, ...]] = ()
_TAG, _END = len(b"<message"), b"</message>"


class Carbons(Module):
    """Gives each session that asks for it a copy of what the account's other devices say and are told.

    A copy comes from the account's bare address and straight from here: no message that anybody sends, whatever it
    says inside, is taken for one. A message with `<private/>` or `<no-copy/>` is not copied.
    """

    features, account_features, bind_features = {CARBONS}, {CARBONS}, {CARBONS}
    xeps = {"0280": "1.0.1", "0297": "1.0"}
    copied = Counter("Copies given to other devices")
    forgeries = Counter("Messages dropped because they pretend to be copies")

    def __init__(self, host: Host, options: ModuleOptions) -> None:
        super().__init__(host, options)
        self._enabled: dict[JID, tuple[Session, ...]] = {}

    async def start(self) -> None:
        """Sessions that asked before the module was loaded anew still want copies."""
        for session in self.host.sessions:
            if session.state(STATE):
                self.enable(session)

    def enable(self, session: Session) -> None:
        """Give this session copies from now on. Asking twice is no error (9.1)."""
        session.keep(STATE, True)
        present = self._enabled.get(session.jid.bare, NOBODY)
        if session not in present:
            self._enabled[session.jid.bare] = (*present, session)

    def disable(self, session: Session) -> None:
        """Give it no more."""
        session.keep(STATE, False)
        self._forget(session)

    def _forget(self, session: Session) -> None:
        left = tuple(other for other in self._enabled.get(session.jid.bare, NOBODY) if other is not session)
        if left:
            self._enabled[session.jid.bare] = left
        else:
            self._enabled.pop(session.jid.bare, None)

    @iq_set("enable", CARBONS, to=ACCOUNT)
    async def enabled(self, iq: IQ) -> None:
        """A client asks for copies (4)."""
        self.enable(_own(iq))

    @iq_set("disable", CARBONS, to=ACCOUNT)
    async def disabled(self, iq: IQ) -> None:
        """A client wants no more (5)."""
        self.disable(_own(iq))

    @hook.session_bound
    def bound(self, event: Bound) -> None:
        """A client asks while it binds (XEP-0386 4)."""
        if f"{CARBONS} enable" in event.wanted:
            self.enable(event.session)

    @hook.session_closed
    def leave(self, event: SessionEvent) -> None:
        """A session is gone."""
        self._forget(event.session)

    # Forgeries

    @hook.session_send.at(FILTER, "message")
    def refuse_forged(self, event: Event) -> None:
        """Clients send no copies (11)."""
        if not COPIES.isdisjoint(event.stanza.names):
            self.forgeries.inc()
            raise StanzaError("forbidden", "only a server sends carbons, and only to its own users")

    @hook.account_receive.at(FILTER, DIRECT, SHARED)
    def drop_forged(self, event: Event) -> Verdict:
        """No copy of ours comes this way, so it is somebody else's."""
        if COPIES.isdisjoint(event.stanza.names):
            return None
        self.forgeries.inc()
        return STOP

    # Copies

    @hook.session_send.at(COPY, "message")
    def copy_sent(self, event: Event) -> Awaitable[None] | None:
        """What one device says (8); copies go out whether or not it wants any itself."""
        sender = event.stanza.sender
        if sender is None or not self._enabled:
            return None
        present = self._enabled.get(sender.bare)
        others = [session for session in present if session is not event.origin] if present is not None else NOBODY
        if not others or not eligible(event.stanza, received=False):
            return None
        mam, to = self.maybe("mam"), event.stanza.to
        if to is not None and to.bare == sender.bare:
            return None  # it comes to all of them, or as copies, when it arrives
        id = mam.sent_id(event) if mam is not None else ""
        return self._copy(event.stanza, "sent", sender.bare, others, id)

    @hook.account_receive.at(COPY, DIRECT)
    def copy_received(self, event: Event) -> Awaitable[None] | None:
        """What the account is told, for those devices that are not given the message itself (7)."""
        if not self._enabled:
            return None
        stanza, to = event.stanza, event.stanza.to
        present = self._enabled.get(to.bare) if to is not None else None
        if present is None or to is None or not eligible(stanza, received=True):
            return None
        action, chosen = choose(stanza, True, self.host.sessions.of(to.bare))
        if action is Action.BOUNCE:
            return None
        others = [session for session in present if session not in chosen and session is not event.origin]
        if action is Action.ABSENT:  # those that are not available get it when somebody takes it from the store
            others = [session for session in others if session.available]
        if not others:
            return None
        stanza.given(*chosen, *others)
        return self._copy(stanza, "received", to.bare, others)

    async def _copy(self, stanza: Stanza, name: str, account: JID, others: Sequence[Session], id: str = "") -> None:
        letter = _letter(stanza, name, account, id)
        wrapping = Stanza("message", account, account, stanza.type, "", "", letter, (f"{CARBONS} {name}",))
        passage = of_copy(stanza, self.clock.time()) if name == "received" else None
        given: set[object] = set()
        for session in others:
            self.copied.inc()
            copy = wrapping.addressed(session.jid)
            copy.passage = passage
            try:
                await session.deliver(copy)
                given.add(session)
            except StanzaError as error:  # its sender need not know of the copy (9.3)
                self.log.debug("%s refuses a copy: %s", session.jid, error)
        if stanza.passage is not None:
            stanza.passage.copied = given

    # Stored messages

    def wanting(self, account: JID, but: Session) -> list[Session]:
        """Sessions that want copies, without one."""
        return [session for session in self._enabled.get(account, NOBODY) if session is not but]

    async def copy_stored(self, stanza: Stanza, account: JID, others: Sequence[Session]) -> set[object]:
        """Copy a message to these which another device takes from a store; who was given a copy.

        Its sender may have been blocked since it was stored, so each is asked for the message itself.
        """
        stanza.passage = Passage(stored=True)
        if eligible(stanza, received=True):
            others = [each for each in others if each.jid != stanza.sender and await each.lets_in(stanza)]
            await self._copy(stanza, "received", account, others)
        return stanza.passage.copied or set()


def eligible(stanza: Stanza, *, received: bool) -> bool:
    """Whether other devices get a copy (6.1).

    Those of type chat, and normal ones with a body; receipts, chat states and markers; invitations into rooms; errors
    that say what they answer, where that had a body. Not those of rooms: groupchat, and what an occupant says in
    private, which a room gives to each device itself.
    """
    names, type = stanza.names, stanza.type
    if type in ("groupchat", "headline") or not UNCOPIED.isdisjoint(names):
        return False
    sender = stanza.sender
    if received and IN_ROOMS in names and sender is not None and sender.resource:
        return False
    if type == "chat" or BODY in names or not INVITATIONS.isdisjoint(names):
        return True
    return any(name.startswith(INSTANT) for name in names)


def _letter(stanza: Stanza, name: str, account: JID, id: str) -> bytes:
    message = stanza.data
    if id and stanza.letter:
        stamp = f"<stanza-id xmlns='{SID}' by='{escape(account)}' id='{id}'/>".encode()
        message = b"%b%b%b" % (message[: -len(_END)], stamp, _END)
    head = f"<{name} xmlns='{CARBONS}'><forwarded xmlns='{FORWARD}'><message xmlns='{CLIENT}'".encode()
    return b"%b%b</forwarded></%b>" % (head, message[_TAG:], name.encode())


def _own(iq: IQ) -> Session:
    if not iq.is_own:
        raise StanzaError("not-allowed", "only for sessions of this account")
    return iq.session
