"""Asking archives, for stories."""

from __future__ import annotations

from typing import Any

from tests.kit.client import Client
from xmppd.xmpp.stanza import Element

MAM = "urn:xmpp:mam:2"
RSM = "http://jabber.org/protocol/rsm"
FORWARDED = "{urn:xmpp:mam:2}result/{urn:xmpp:forward:0}forwarded"
BODY = f"{FORWARDED}/{{jabber:client}}message/{{jabber:client}}body"
HINTS = "urn:xmpp:hints"
MODULES: dict[str, dict[str, Any]] = {
    "ping": {}, "disco": {}, "offline": {}, "mam": {}, "tests.stories.appearing": {},
}  # fmt: skip


class Page:
    """What came of a query: the messages, each with its id, and what was said of the page."""

    def __init__(self, messages: list[Element], fin: Element) -> None:
        self.messages = messages
        self.fin = fin

    @property
    def texts(self) -> list[str | None]:
        return [message.findtext(BODY) for message in self.messages]

    @property
    def ids(self) -> list[str]:
        return [message.find(f"{{{MAM}}}result").get("id") or "" for message in self.messages]  # type: ignore[union-attr]

    @property
    def forwarded(self) -> list[Element]:
        found = [message.find(f"{FORWARDED}/{{jabber:client}}message") for message in self.messages]
        return [message for message in found if message is not None]

    @property
    def stamps(self) -> list[str]:
        found = [message.find(f"{FORWARDED}/{{urn:xmpp:delay}}delay") for message in self.messages]
        return [delay.get("stamp", "") for delay in found if delay is not None]

    @property
    def complete(self) -> bool:
        return self.fin.get("complete") == "true"

    def edge(self, name: str) -> str | None:
        return self.fin.findtext(f"{{{RSM}}}set/{{{RSM}}}{name}")


def form(**values: str | list[str]) -> str:
    """A query's form: `with_` is `with`, `before_id` is `before-id`."""
    fields = ""
    for name, texts in values.items():
        var = name.rstrip("_").replace("_", "-")
        inside = "".join(f"<value>{text}</value>" for text in ([texts] if isinstance(texts, str) else texts))
        fields += f"<field var='{var}'>{inside}</field>"
    kind = f"<field var='FORM_TYPE' type='hidden'><value>{MAM}</value></field>"
    return f"<x xmlns='jabber:x:data' type='submit'>{kind}{fields}</x>"


def rsm(**values: object) -> str:
    """A page: `max`, `after`, `before`, `index`."""
    inside = "".join(f"<{name}>{value}</{name}>" for name, value in values.items())
    return f"<set xmlns='{RSM}'>{inside}</set>"


def asking(inside: str = "", to: str = "", attributes: str = " queryid='f27'") -> str:
    address = f" to='{to}'" if to else ""
    return f"<iq type='set'{address}><query xmlns='{MAM}'{attributes}>{inside}</query></iq>"


async def page(client: Client, inside: str = "", to: str = "") -> Page:
    """Query an archive; whatever else has come in before is lost."""
    before = await client.pending()
    assert not before, before
    reply = await client.ask(asking(inside, to))
    fin = reply.find(f"{{{MAM}}}fin")
    assert fin is not None, reply
    messages = list(client._inbox)
    client._inbox.clear()
    return Page(messages, fin)


async def say(client: Client, *texts: str, to: str = "bob@localhost") -> None:
    """Say so and wait until the server has taken it."""
    client.send("".join(f"<message to='{to}' type='chat'><body>{text}</body></message>" for text in texts))
    await client.ping()
