"""Errors with the numbers that clients from before RFC 3920 look at; registration has to give both (XEP-0077 9)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import update_wrapper
from typing import TypeVar

from xmppd.api import IQ
from xmppd.xmpp.errors import StanzaError

# The conditions of registration and of making accounts, as XEP-0086 maps them.
CODES = {
    "bad-request": 400,
    "unexpected-request": 400,
    "not-authorized": 401,
    "forbidden": 403,
    "item-not-found": 404,
    "not-allowed": 405,
    "not-acceptable": 406,
    "registration-required": 407,
    "conflict": 409,
    "internal-server-error": 500,
    "resource-constraint": 500,
    "service-unavailable": 503,
}
M = TypeVar("M")
T = TypeVar("T")


class NumberedError(StanzaError):
    """An error that carries its number too."""

    @classmethod
    def of(cls, error: StanzaError) -> NumberedError:
        """The same error, numbered."""
        return cls(error.condition, error.text, kind=error.kind, application=error.application)

    def to_xml(self) -> str:
        """The `<error/>` element, with `code` where the condition has one."""
        code = CODES.get(self.condition)
        return super().to_xml().replace("<error ", f"<error code='{code}' ", 1) if code else super().to_xml()


def numbered(answer: Callable[[M, IQ], Awaitable[T]]) -> Callable[[M, IQ], Awaitable[T]]:
    """An iq handler whose errors are numbered."""

    async def wrapped(module: M, iq: IQ) -> T:
        try:
            return await answer(module, iq)
        except StanzaError as error:
            raise NumberedError.of(error) from None

    update_wrapper(wrapped, answer)
    return wrapped
