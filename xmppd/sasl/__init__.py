"""Who is it: server-side SASL (RFC 4422, RFC 6120 6) without I/O.

    mechanism = begin(name, context, pretence, offer)  # SASLError: answer <failure/> with its condition
    outcome = mechanism.receive(initial_response)      # b"" where the client sent none, or "="
    while not isinstance(outcome, Success):
        match outcome:
            case Challenge(payload): ...               # send it; the client's answer goes to receive()
            case Lookup(user): ...                     # outcome = mechanism.found(credentials or None)
            case Compute(work): ...                    # outcome = mechanism.computed(result of work, run in a thread)

Nothing but SASLError leaves a mechanism, whatever a client sends. After one, the exchange is over.
"""

from .choice import MECHANISMS, begin, offered
from .exchange import (
    CONDITIONS,
    Challenge,
    Compute,
    Context,
    Lookup,
    Mechanism,
    Outcome,
    SASLError,
    Success,
)
from .keys import HASHES, ITERATIONS, Credentials, Keys, derive, matches, saslprep
from .pretence import Part, Pretence, Shape, shape_of
from .throttle import Throttle

__all__ = [
    "CONDITIONS",
    "HASHES",
    "ITERATIONS",
    "MECHANISMS",
    "Challenge",
    "Compute",
    "Context",
    "Credentials",
    "Keys",
    "Lookup",
    "Mechanism",
    "Outcome",
    "Part",
    "Pretence",
    "SASLError",
    "Shape",
    "Success",
    "Throttle",
    "begin",
    "derive",
    "matches",
    "offered",
    "saslprep",
    "shape_of",
]
