"""What the coarse timer does with each connection: pings who is silent, closes who stays so or does not come in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from xmppd.xmpp.errors import StreamError

if TYPE_CHECKING:
    from .inorder import Sharing

GOODBYE: Final = 10.0  # seconds a peer has to take our last words


class Watched:
    """A connection under the coarse timer. Who derives from this has the attributes, and the methods that it calls."""

    if not TYPE_CHECKING:  # the slots themselves are the carrier's: two bases of one class cannot both have some
        __slots__ = ()

    listener: Sharing
    closing: bool
    heard: bool
    silence: float
    age: float

    if TYPE_CHECKING:

        @property
        def at_work(self) -> bool:
            """Whether it has logged in and done all that comes before work."""

        def ping(self) -> None:
            """Ask for a sign of life."""

        def fail(self, error: StreamError) -> None:
            """Say what is wrong and close."""

        def abort(self) -> None:
            """Close at once."""

    def keeps_up(self, interval: float) -> bool:
        """Whether it takes note of what it is sent; `interval` seconds have passed."""
        return True

    def check(self, interval: float) -> None:
        """`interval` seconds have passed: ping who is silent, close who stays so or does not log in."""
        self.age += interval
        if self.closing:
            self._see_off(interval)
            return
        limits = self.listener.shared.limits
        before = self.silence
        self.silence = 0.0 if self.heard else before + interval
        self.heard = False
        if not self.at_work:
            if self.age >= limits.login_timeout:
                self.fail(
                    StreamError("connection-timeout", "log in, and bind a resource where there are some, in time")
                )
        elif self.silence >= limits.idle_timeout:
            self.fail(StreamError("connection-timeout", "no sign of life"))
        elif not self.keeps_up(interval):
            self.fail(StreamError("connection-timeout", "acknowledge what you receive"))
        elif before < limits.ping_interval <= self.silence:
            self.ping()

    def _see_off(self, interval: float) -> None:
        """It is closing: from the first look on it has its time, whatever it goes on to say; `silence` counts to 0."""
        self.silence = self.silence + interval if self.silence < 0 else -GOODBYE
        if self.silence >= 0:
            self.abort()
