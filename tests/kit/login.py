"""SASL by hand, for stories."""

from __future__ import annotations

from base64 import b64decode, b64encode

from lxml import etree
from scramp import ScramClient

from xmppd.xmpp import namespaces as ns
from xmppd.xmpp.stanza import Element

from .client import Client

SASL = f"{{{ns.SASL}}}"


def mechanisms(client: Client) -> list[str]:
    """What the client was offered."""
    assert client.features is not None
    return [each.text or "" for each in client.features.iterfind(f"{SASL}mechanisms/{SASL}mechanism")]


def plain(user: str, password: str, authzid: str = "") -> str:
    """The message of PLAIN (RFC 4616), in base64."""
    return b64encode(f"{authzid}\0{user}\0{password}".encode()).decode()


async def say(client: Client, name: str, text: str = "", mechanism: str = "") -> Element:
    """Send one element of SASL and return what is answered."""
    chosen = f" mechanism='{mechanism}'" if mechanism else ""
    client.send(f"<{name} xmlns='{ns.SASL}'{chosen}>{text}</{name}>")
    return await client.receive()


def failure(answer: Element) -> str:
    """The condition of a failure; the name of the element where it is another."""
    tag = etree.QName(answer)
    return etree.QName(answer[0]).localname if tag.localname == "failure" and len(answer) else tag.localname


async def scram(client: Client, mechanism: str, user: str, password: str, binding: bytes | None = None) -> Element:
    """Log in with SCRAM; `binding` is the tls-server-end-point. What the server says last, its signature checked."""
    bound = None if binding is None else ("tls-server-end-point", binding)
    login = ScramClient([mechanism], user, password, channel_binding=bound)
    answer = await say(client, "auth", b64encode(login.get_client_first().encode()).decode(), mechanism)
    if etree.QName(answer).localname != "challenge":
        return answer
    login.set_server_first(b64decode(answer.text or "").decode())
    answer = await say(client, "response", b64encode(login.get_client_final().encode()).decode())
    if etree.QName(answer).localname == "success":
        login.set_server_final(b64decode(answer.text or "").decode())
    return answer
