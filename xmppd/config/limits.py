"""Every limit of the server, its default and the reason of that default."""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field, model_validator

from .section import Section


def limit(default: float, reason: str, least: float = 1) -> Any:
    """A limit that is a number of at least `least`; its description gives the reason of its default."""
    return Field(default, ge=least, description=reason)


class Limits(Section):
    """Sizes are bytes, times are seconds. What goes over a limit gets the error named in the option's description."""

    max_stanza_size: int = limit(
        262144,
        "One stanza; `policy-violation` past it. RFC 6120 13.12 forbids less than 10000; avatars and file thumbnails "
        "need 100 KB and more, and ejabberd's example has 262144.",
        10000,
    )
    max_stanza_depth: int = limit(
        64, "Elements inside each other in one stanza; `policy-violation`. The deepest XEPs nest some 15.", 8
    )
    max_attributes: int = limit(64, "Attributes of one element; `policy-violation`. Real stanzas have under 20.", 8)
    max_sessions_per_user: int = limit(
        20, "Resources one account has online; the bind is refused. A person with 20 devices is a runaway bot."
    )
    max_connections_per_address: int = limit(
        1000, "Connections from one IP address; more are closed at once. A company or school sits behind one address."
    )
    max_unauthenticated: int = limit(
        1000, "Connections that have not logged in yet; more are closed at once. 1000 is some 60 MB of TLS buffers."
    )
    max_unauthenticated_per_address: int = limit(
        200, "The same from one IP address, so that it cannot hold every place. A school comes back in a few seconds."
    )
    login_timeout: float = limit(
        60, "To log in and bind; `connection-timeout` past it. A phone on a bad line needs some 20.", 0.001
    )
    ping_interval: float = limit(
        240, "Silence after which a client is pinged. Routers forget a quiet connection after five minutes.", 0.001
    )
    idle_timeout: float = limit(
        360, "Silence after which a connection is closed; leaves two minutes to answer the ping.", 0.001
    )
    max_queue: int = limit(
        4194304,
        "Bytes queued for a peer that does not read; past it the connection is cut off. "
        "Sixteen stanzas of the greatest size, or the history of a busy day.",
        65536,
    )
    resume_timeout: float = limit(
        300, "A lost connection can be resumed so long (XEP-0198); a client may ask for less. A tunnel, a lift.", 0
    )
    ack_timeout: float = limit(
        60, "For a client to acknowledge; then its connection counts as lost. A phone on a bad line needs some 20.", 1
    )
    max_ack_queue: int = limit(
        5000,
        "Stanzas that a client has not acknowledged; past it the session ends (`policy-violation`) and they go back to "
        "the road. A busy day of rooms and presence.",
        100,
    )
    max_ack_size: int = limit(4194304, "The same in bytes; as much as max_queue.", 65536)
    max_detached: int = limit(
        10000, "Sessions that wait to be resumed; past it the oldest ends. 10000 with a message each are some 60 MB."
    )
    max_detached_per_user: int = limit(10, "The same of one account. A phone that restarts all day leaves one behind.")
    max_roster_items: int = limit(
        4000, "Contacts of one account; `resource-constraint`. 4000 make a roster of some 600 KB at every login."
    )
    max_failures_per_address: int = limit(
        60, "Failed logins from one address that are free; then each further one waits twice as long. An office."
    )
    max_failures_per_account_and_address: int = limit(
        20, "The same for one account from one address. A person mistypes a few times, and clients try each mechanism."
    )
    max_failures_per_account: int = limit(
        50, "To one account from everywhere; then each address has one free try, so nobody can lock its owner out."
    )
    max_failures_per_connection: int = limit(
        10,
        "Failed logins on one connection; then it is closed (`policy-violation`). RFC 6120 6.4.5 asks for 2 to 5, but "
        "Pidgin tries each mechanism twice before it asks for another password.",
        2,
    )
    max_failure_wait: float = limit(300, "The longest wait after failed logins: 288 guesses a day.", 0)
    failure_window: float = limit(900, "A failed login this old is forgotten.", 0.001)
    max_command_size: int = limit(
        1048576, "One line on the control socket. The longest command is a text for all users.", 4096
    )
    max_http_connections: int = limit(
        20000, "Connections to one door for HTTP; more are closed at once. A page with BOSH has two."
    )
    max_http_body: int = limit(
        524288,
        "The body of one HTTP request; 413 past it. Two stanzas of the greatest size, in one BOSH request.",
        16384,
    )
    http_request_timeout: float = limit(
        20, "For a whole HTTP request to arrive; 408 past it. A body of the greatest size over a bad line.", 0.001
    )
    http_keep_alive: float = limit(
        180,
        "An HTTP connection without a request is closed. Pages that the browser slows down ask once a minute.",
        0.001,
    )
    bosh_wait: int = limit(
        120, "The longest a BOSH request is held. Clients ask for 60 as a rule; some proxies cut off after 60 to 120."
    )
    bosh_inactivity: int = limit(
        150, "A BOSH session without a request ends. Browsers let a hidden page work once a minute; it may miss one."
    )
    bosh_maxpause: int = limit(300, "The longest pause that a BOSH client may ask for, as while a page is changed.")
    max_bosh_hold: int = limit(
        1, "Requests that a BOSH client may have held. Some ask for as many as they have, and none is left to send by."
    )
    shutdown_timeout: float = limit(
        10, "For sessions to take what is queued when the server stops; systemd kills after 90.", 0
    )

    @model_validator(mode="after")
    def _ping_comes_first(self) -> Self:
        if self.idle_timeout <= self.ping_interval:
            raise ValueError(
                f"idle_timeout ({self.idle_timeout:g}) must be longer than ping_interval ({self.ping_interval:g})"
            )
        return self
