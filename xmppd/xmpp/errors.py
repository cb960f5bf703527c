"""Stanza and stream errors: an exception is a condition on the wire.

raise StanzaError("forbidden")            # in an IQ handler: the error reply (RFC 6120 8.3)
raise StreamError("policy-violation")     # anywhere on a stream: closes it (RFC 6120 4.9)
"""

from __future__ import annotations

from xml.sax.saxutils import escape

NS_STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"
NS_STREAMS = "urn:ietf:params:xml:ns:xmpp-streams"

# RFC 6120 8.3.3: each defined condition and the error type that goes with it unless said otherwise.
STANZA_CONDITIONS = {
    "bad-request": "modify",
    "conflict": "cancel",
    "feature-not-implemented": "cancel",
    "forbidden": "auth",
    "gone": "cancel",
    "internal-server-error": "cancel",
    "item-not-found": "cancel",
    "jid-malformed": "modify",
    "not-acceptable": "modify",
    "not-allowed": "cancel",
    "not-authorized": "auth",
    "policy-violation": "modify",
    "recipient-unavailable": "wait",
    "redirect": "modify",
    "registration-required": "auth",
    "remote-server-not-found": "cancel",
    "remote-server-timeout": "wait",
    "resource-constraint": "wait",
    "service-unavailable": "cancel",
    "subscription-required": "auth",
    "undefined-condition": "cancel",
    "unexpected-request": "wait",
}

# RFC 6120 4.9.3.
STREAM_CONDITIONS = frozenset(
    {
        "bad-format",
        "bad-namespace-prefix",
        "conflict",
        "connection-timeout",
        "host-gone",
        "host-unknown",
        "improper-addressing",
        "internal-server-error",
        "invalid-from",
        "invalid-namespace",
        "invalid-xml",
        "not-authorized",
        "not-well-formed",
        "policy-violation",
        "remote-connection-failed",
        "reset",
        "resource-constraint",
        "restricted-xml",
        "see-other-host",
        "system-shutdown",
        "undefined-condition",
        "unsupported-encoding",
        "unsupported-feature",
        "unsupported-stanza-type",
        "unsupported-version",
    }
)


class StanzaError(Exception):
    """An error reply to one stanza (RFC 6120 8.3).

    `condition` is one of the defined conditions, `kind` the error type (its default where None), `text` a sentence for
    people, `application` one more child as serialised XML, in a namespace of its own.
    """

    def __init__(self, condition: str, text: str = "", *, kind: str | None = None, application: str = "") -> None:
        super().__init__(f"{condition}: {text}" if text else condition)
        self.condition = condition
        self.kind = kind or STANZA_CONDITIONS[condition]
        self.text = text
        self.application = application

    def to_xml(self) -> str:
        """The `<error/>` element, to stand inside a stanza of type error."""
        text = f"<text xmlns='{NS_STANZAS}'>{escape(self.text)}</text>" if self.text else ""
        return f"<error type='{self.kind}'><{self.condition} xmlns='{NS_STANZAS}'/>{text}{self.application}</error>"


class StreamError(Exception):
    """The stream cannot go on; it is told why and closed (RFC 6120 4.9)."""

    def __init__(self, condition: str, text: str = "", *, application: str = "") -> None:
        if condition not in STREAM_CONDITIONS:
            raise ValueError(f"{condition!r} is no stream error of RFC 6120 4.9.3")
        super().__init__(f"{condition}: {text}" if text else condition)
        self.condition = condition
        self.text = text
        self.application = application

    def to_xml(self) -> str:
        """The `<stream:error/>` element; the prefix `stream` is declared on every stream header of ours."""
        text = f"<text xmlns='{NS_STREAMS}'>{escape(self.text)}</text>" if self.text else ""
        return f"<stream:error><{self.condition} xmlns='{NS_STREAMS}'/>{text}{self.application}</stream:error>"
