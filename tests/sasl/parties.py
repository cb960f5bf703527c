"""The two parties of an exchange: a server that knows alice, and a client by another hand (scramp's)."""

from __future__ import annotations

from scramp import ScramClient

from xmppd.sasl import Challenge, Compute, Context, Credentials, Lookup, Mechanism, Outcome, Pretence, Success, begin
from xmppd.sasl.keys import derive_all

HOST = "example.org"
FAKE = Pretence(b"a secret of the server")
PASSWORD = "correct horse"  # noqa: S105
BINDING = b"hash of the certificate"
ACCOUNTS: dict[str, Credentials] = {"alice": derive_all(PASSWORD)}
PLAINTEXT = Context(HOST, secure=False)
TLS = Context(HOST, secure=True, endpoint_binding=BINDING)


def serve(mechanism: Mechanism, outcome: Outcome) -> Challenge | Success:
    """Do what a driver does until the client's next message is due."""
    while True:
        match outcome:
            case Lookup(user):
                outcome = mechanism.found(ACCOUNTS.get(user))
            case Compute(work):
                outcome = mechanism.computed(work())
            case _:
                return outcome


def scram(
    name: str,
    context: Context,
    *,
    user: str = "alice",
    password: str = PASSWORD,
    binding: tuple[str, bytes] | None = None,
    offer: list[str] | None = None,
) -> Success:
    """A whole login; the client checks the server's signature too."""
    client = ScramClient([name], user, password, channel_binding=binding)
    mechanism = begin(name, context, FAKE, offer)
    challenge = serve(mechanism, mechanism.receive(client.get_client_first().encode()))
    assert isinstance(challenge, Challenge)
    client.set_server_first(challenge.payload.decode())
    success = serve(mechanism, mechanism.receive(client.get_client_final().encode()))
    assert isinstance(success, Success)
    assert success.payload is not None
    client.set_server_final(success.payload.decode())
    return success


def plain(message: str, context: Context = TLS) -> Success:
    """A login by PLAIN in one message."""
    mechanism = begin("PLAIN", context, FAKE)
    success = serve(mechanism, mechanism.receive(message.encode()))
    assert isinstance(success, Success)
    return success
