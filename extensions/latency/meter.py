"""Round-trip times of one session, smoothed as TCP smooths its own (RFC 6298 2)."""

from __future__ import annotations

SMOOTHING = 1 / 8  # of a new sample in the round-trip time
SPREADING = 1 / 4  # of a new sample in the jitter


class Meter:
    """What is known of one session. Times are seconds; `rtt` and `jitter` are 0 until there is a sample."""

    __slots__ = ("asked", "id", "jitter", "rtt", "samples", "sent")

    def __init__(self) -> None:
        self.rtt = 0.0
        self.jitter = 0.0
        self.samples = 0
        self.id = ""  # of the ping that is out, "" for none, and for one that is no stanza
        self.sent = 0.0  # when it left, 0 for none
        self.asked = 0.0  # when somebody last wanted to know

    def ping(self, id: str, now: float) -> None:
        """A ping leaves; what another one took that is still out is not known."""
        self.id, self.sent = id, now

    def pong(self, now: float) -> None:
        """Its answer is here; nothing where none is out."""
        if self.sent:
            self._take(now - self.sent)
            self.id, self.sent = "", 0.0

    def missed(self, now: float) -> None:
        """The next ping is due: one that is still out has taken at least as long as it has been."""
        if self.sent:
            self._take(now - self.sent)

    def _take(self, sample: float) -> None:
        if not self.samples:
            self.rtt, self.jitter = sample, sample / 2
        else:
            self.jitter += SPREADING * (abs(self.rtt - sample) - self.jitter)
            self.rtt += SMOOTHING * (sample - self.rtt)
        self.samples += 1
