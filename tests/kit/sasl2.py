"""SASL2 by hand, for stories (XEP-0388, XEP-0386, XEP-0484)."""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode

from lxml import etree
from scramp import ScramClient

from xmppd.xmpp import namespaces as ns
from xmppd.xmpp.stanza import Element

from .client import Client

NAMES = {
    "sasl2": ns.SASL2,
    "sasl": ns.SASL,
    "bind": ns.BIND2,
    "fast": ns.FAST,
    "sm": ns.SM,
    "upgrade": ns.UPGRADE,
    "stream": ns.STREAM,
    "scram": "urn:xmpp:scram-upgrade:0",
}
PHONE = "d4565fa7-4d72-4749-b3d3-740edbf87770"
DESKTOP = "5b3f1a0e-6d0f-4e3c-9a3d-0c1f5a7d2b11"


def find(element: Element | None, path: str) -> Element | None:
    """The first element at the path, with this file's prefixes."""
    return None if element is None else element.find(path, NAMES)


def text(element: Element, path: str) -> str:
    """The text there."""
    found = find(element, path)
    assert found is not None, etree.tostring(element).decode()
    return found.text or ""


def local(element: Element) -> str:
    """The name without its namespace."""
    return etree.QName(element).localname


def plain(user: str, password: str, authzid: str = "") -> bytes:
    """The message of PLAIN."""
    return f"{authzid}\0{user}\0{password}".encode()


def hashed(user: str, token: str, binding: bytes = b"") -> bytes:
    """The message of HT-SHA-256."""
    return user.encode() + b"\0" + hmac.digest(token.encode(), b"Initiator" + binding, "sha256")


def authenticate(mechanism: str, initial: bytes | None, inside: str = "", agent: str = PHONE) -> str:
    """The request; `inside` is what is asked for with it."""
    response = "" if initial is None else f"<initial-response>{b64encode(initial).decode()}</initial-response>"
    who = f"<user-agent id='{agent}'><software>Tester</software><device>Kit</device></user-agent>" if agent else ""
    return f"<authenticate xmlns='{ns.SASL2}' mechanism='{mechanism}'>{response}{who}{inside}</authenticate>"


async def ask(client: Client, request: str) -> Element:
    """Send it and return the answer; behind a success come features, which are taken too, but not where it resumes."""
    client.send(request)
    answer = await client.receive()
    if local(answer) == "success" and find(answer, "sm:resumed") is None:
        client.features = await client.receive()
    return answer


async def scram(client: Client, user: str, password: str, inside: str = "", agent: str = PHONE) -> Element:
    """Log in with SCRAM-SHA-1; what the server says last, its signature checked."""
    login = ScramClient(["SCRAM-SHA-1"], user, password)
    first = authenticate("SCRAM-SHA-1", login.get_client_first().encode(), inside, agent)
    answer = await ask(client, first)
    if local(answer) != "challenge":
        return answer
    login.set_server_first(b64decode(answer.text or "").decode())
    final = b64encode(login.get_client_final().encode()).decode()
    answer = await ask(client, f"<response xmlns='{ns.SASL2}'>{final}</response>")
    if local(answer) in ("success", "continue"):
        login.set_server_final(b64decode(text(answer, "sasl2:additional-data")).decode())
    return answer
