"""What the server only passes on: letters arrive byte for byte, at the resources they are for.

XEP-0085 chat states, 0172 nicknames, 0184 receipts, 0249 invitations, 0333 markers, 0334 hints.
"""

import pytest

from tests.kit.client import Client
from tests.kit.world import World

STATES = "http://jabber.org/protocol/chatstates"
MARKERS = "urn:xmpp:chat-markers:0"
HINTS = "urn:xmpp:hints"
RECEIPTS = "urn:xmpp:receipts"
NICK = '<nick xmlns="http://jabber.org/protocol/nick">Ishmael &amp; &#x51;ueequeg</nick>'
INVITATION = (
    "<x xmlns='jabber:x:conference' jid='darkcave@macbeth.shakespeare.lit' continue='true' password='cauldronburn' "
    "reason='Hey Hecate, this is the place for all good witches!' thread='e0ffe42b28561960c6b12b944a092794b9683a38'/>"
)
CHAT = [
    # XEP-0085
    f"<body>Who's there?</body><active xmlns='{STATES}'/>",
    *(
        f"<thread>act2scene2chat1</thread><{state} xmlns='{STATES}'/>"
        for state in ("active", "composing", "paused", "inactive", "gone")
    ),
    # XEP-0172
    f"<body>Call me Ishmael.</body>{NICK}",
    # XEP-0184
    f"<body>My lord, dispatch; read o'er these articles.</body><request xmlns='{RECEIPTS}'/>",
    f"<received xmlns='{RECEIPTS}' id='richard2-4.1.247'/>",
    # XEP-0249
    INVITATION,
    # XEP-0333
    f"<thread>sleeping</thread><body>My lord</body><markable xmlns='{MARKERS}'/>",
    *(f"<{marker} xmlns='{MARKERS}' id='message-1'/>" for marker in ("received", "displayed", "acknowledged")),
    # XEP-0334
    *(
        f"<body>V unir avtug'f pybnx</body><{hint} xmlns='{HINTS}'/>"
        for hint in ("no-permanent-store", "no-store", "no-copy", "store")
    ),
    # Whatever else people write
    "<body>a &lt; b &#38; c</body>\n  <x:y  xmlns:x = 'urn:x'\ta=\"'\" x:b='&quot;' ><![CDATA[<z/>]]></x:y > ",
]


def tap(client: Client) -> bytearray:
    """All the bytes that come in from now on."""
    taken = bytearray()
    take = client._take

    def tapped(data: bytes) -> None:
        taken.extend(data)
        take(data)

    client._take = tapped  # type: ignore[method-assign]
    return taken


def arrived(letter: str, bytes_in: bytearray) -> bool:
    """Whether it came as it was sent, and behind it at most the archive's id."""
    _, _, behind = bytes_in.partition(b">" + letter.encode())
    return behind.startswith((b"</message>", b"<stanza-id xmlns='urn:xmpp:sid:0' by='bob@localhost' id='"))


@pytest.mark.parametrize("letter", CHAT)
async def test_to_a_resource_and_to_no_other(world: World, letter: str) -> None:
    alice, phone, laptop = [await world.online(who) for who in ("alice/phone", "bob/phone", "bob/laptop")]
    await phone.pending()
    bytes_in = tap(phone)
    alice.send(f"<message to='bob@localhost/phone' type='chat' id='m1'>{letter}</message>")
    await alice.receives_nothing()
    await phone.receives("c:message[@from='alice@localhost/phone'][@to='bob@localhost/phone'][@type='chat'][@id='m1']")
    assert arrived(letter, bytes_in)
    await phone.receives_nothing()
    await laptop.receives_nothing()


@pytest.mark.parametrize("letter", CHAT)
async def test_to_an_account_and_so_to_all_who_take_messages(world: World, letter: str) -> None:
    alice, phone, laptop, silent = [
        await world.online("alice/phone"),
        await world.online("bob/phone"),
        await world.online("bob/laptop", "<presence><priority>5</priority></presence>"),
        await world.online("bob/silent", "<presence><priority>-1</priority></presence>"),
    ]
    for client in (phone, laptop):
        await client.pending()
        bytes_in = tap(client)
        alice.send(f"<message to='bob@localhost' type='chat'>{letter}</message>")
        await alice.receives_nothing()
        await client.receives("c:message[@from='alice@localhost/phone'][@to='bob@localhost'][@type='chat']")
        assert arrived(letter, bytes_in)
    await silent.receives_nothing()


@pytest.mark.parametrize("type", ["", "normal", "chat", "headline"])
async def test_0249_an_invitation_in_a_message_of_any_type(world: World, type: str) -> None:
    alice, bob = await world.online("alice/phone"), await world.online("bob/phone")
    bytes_in = tap(bob)
    alice.send(f"<message to='bob@localhost'{f' type={type!r}' if type else ''}>{INVITATION}</message>")
    await bob.receives(f"c:message[@type='{type}' or not(@type)]")
    assert INVITATION.encode() in bytes_in


async def test_0184_a_receipt_goes_back_to_the_resource_that_asked(world: World) -> None:
    alice, laptop, bob = [await world.online(who) for who in ("alice/phone", "alice/laptop", "bob/phone")]
    await alice.pending()
    alice.send(f"<message to='bob@localhost' id='m1' type='chat'><body>x</body><request xmlns='{RECEIPTS}'/></message>")
    message = await bob.receives("c:message[@id='m1']")
    bytes_in = tap(alice)
    receipt = f"<received xmlns='{RECEIPTS}' id='m1'/>"
    bob.send(f"<message to='{message.get('from')}' id='r1'>{receipt}</message>")
    await alice.receives("c:message[@from='bob@localhost/phone'][@id='r1']")
    assert receipt.encode() in bytes_in
    await laptop.receives_nothing()


async def test_0172_a_nickname_in_a_request_for_a_subscription(world: World) -> None:
    alice, bob = await world.online("alice/phone"), await world.online("bob/phone")
    bytes_in = tap(bob)
    alice.send(f"<presence to='bob@localhost' type='subscribe'>{NICK}</presence>")
    await bob.receives("c:presence[@type='subscribe'][@from='alice@localhost']")
    assert NICK.encode() in bytes_in


@pytest.mark.parametrize("to", ["", " to='bob@localhost'", " to='bob@localhost/phone'"])
async def test_0172_a_nickname_in_presence_broadcast_and_directed(world: World, to: str) -> None:
    alice, bob = await world.online("alice/phone"), await world.online("bob/phone")
    await world.friends(alice, bob)
    bytes_in = tap(bob)
    alice.send(f"<presence{to}><status>at sea</status>{NICK}</presence>")
    await bob.receives("c:presence[@from='alice@localhost/phone'][c:status='at sea']")
    assert b"<status>at sea</status>" + NICK.encode() + b"</presence>" in bytes_in


async def test_0085_and_0333_work_between_two_resources(world: World) -> None:
    """Chat states and markers are answered from the resource that got the message to the one that sent it."""
    alice, bob = await world.online("alice/phone"), await world.online("bob/phone")
    alice.send(f"<message to='bob@localhost' id='1' type='chat'><body>x</body><markable xmlns='{MARKERS}'/></message>")
    sender = (await bob.receives("c:message[@id='1']")).get("from")
    for letter in (f"<composing xmlns='{STATES}'/>", f"<displayed xmlns='{MARKERS}' id='1'/>"):
        bob.send(f"<message to='{sender}' type='chat'>{letter}</message>")
        message = await alice.receives("c:message[@from='bob@localhost/phone'][@to='alice@localhost/phone']")
        assert len(message) - len(message.findall("{urn:xmpp:sid:0}stanza-id")) == 1
