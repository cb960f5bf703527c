"""The fields of registration, asked for and read, plain and as a data form (XEP-0077 3.1, 4)."""

from __future__ import annotations

from lxml import etree

from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.fields import Field
from xmppd.xmpp.forms import Form, find
from xmppd.xmpp.namespaces import REGISTER
from xmppd.xmpp.stanza import Element

QUERY = f"{{{REGISTER}}}"
INSTRUCTIONS = "Choose a username and a password."
CHANGE = "You are registered. Here you can change your password."
FORM = Form(
    REGISTER,
    [
        Field("text-single", "username", "Username", required=True),
        Field("text-private", "password", "Password", required=True),
    ],
    title="Registration",
    instructions=INSTRUCTIONS,
)
CHANGE_FORM = Form(REGISTER, FORM.fields, title="Password", instructions=CHANGE)


def fields(username: str = "") -> Element:
    """What a client has to fill in; for who is registered, with that said and the name filled in."""
    query = etree.Element(f"{QUERY}query", nsmap={None: REGISTER})  # type: ignore[dict-item]
    if username:
        etree.SubElement(query, f"{QUERY}registered")
    etree.SubElement(query, f"{QUERY}instructions").text = CHANGE if username else INSTRUCTIONS
    etree.SubElement(query, f"{QUERY}username").text = username or None
    etree.SubElement(query, f"{QUERY}password")
    query.append((CHANGE_FORM if username else FORM).ask({"username": username or None}))
    return query


def read(query: Element) -> tuple[str, str]:
    """Username and password; a form goes before plain fields (6). `not-acceptable` where one of them is missing."""
    form = find(query)
    if form is not None:
        values = FORM.read(form)
        if values is None:
            raise StanzaError("not-acceptable", "the form was cancelled")
    else:
        values = {name: query.findtext(QUERY + name) for name in ("username", "password")}
    if not values.get("username") or not values.get("password"):
        raise StanzaError("not-acceptable", "a username and a password are needed")
    return str(values["username"]), str(values["password"])
