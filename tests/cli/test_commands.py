"""The table of admin commands: words in, typed values out, and errors that say what to type."""

from pathlib import Path

import pytest

from xmppd.commands import Command, CommandError, Commands, Progress, describe
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID


async def kick_session(account: JID, resource: str, reason: str = "") -> str:
    return f"{account}/{resource} {reason}".strip()


async def create_room(room: str, service: str, host: str, members: list[str], persistent: bool = False) -> object:
    return [room, service, host, members, persistent]


async def set_limit(count: int, peer: JID | None = None) -> object:
    return [count, peer]


class Host:
    def __init__(self, name: str) -> None:
        self.name = name

    async def here(self, account: JID) -> str:
        return self.name

    async def contact(self, localuser: str, localhost: str, user: str, host: str) -> str:
        return self.name

    async def rooms(self) -> str:
        return self.name


def table(*commands: Command) -> Commands:
    made = Commands()
    for command in commands:
        made.add(command)
    return made


KICK = describe(kick_session, "kick_session", "End one session", tags=["session"])
ROOM = describe(create_room, "create_room", "Make a room")
LIMIT = describe(set_limit, "set_limit", "Set a limit")


def test_an_account_is_written_user_host_and_options_stand_in_brackets() -> None:
    assert KICK.usage == "kick_session USER HOST RESOURCE [REASON]"
    assert LIMIT.usage == "set_limit COUNT [PEER]"


async def test_words_become_typed_values() -> None:
    commands = table(KICK, ROOM, LIMIT)
    assert await commands.call("kick_session", ["Alice", "Example.ORG", "phone"]) == "alice@example.org/phone"
    assert await commands.call("create_room", ["r", "s", "h", "a, b", "yes"]) == ["r", "s", "h", ["a", "b"], True]
    assert await commands.call("set_limit", ["-3", "Bob@h/x"]) == [-3, "bob@h/x"]


async def test_arguments_may_come_by_name_and_typed() -> None:
    commands = table(KICK, ROOM, LIMIT)
    named = {"user": "alice", "host": "h", "resource": "phone", "reason": "late"}
    assert await commands.call("kick_session", named) == "alice@h/phone late"
    rest = {"room": "r", "service": "s", "host": "h", "members": ["a"], "persistent": True}
    assert await commands.call("create_room", rest) == ["r", "s", "h", ["a"], True]


async def test_what_is_false_unless_said_may_be_said_as_a_flag() -> None:
    assert ROOM.usage.endswith("[--persistent]")
    assert await table(ROOM).call("create_room", ["r", "s", "h", "a", "--persistent"]) == ["r", "s", "h", ["a"], True]
    with pytest.raises(CommandError, match="persistent must be true or false"):
        await table(ROOM).call("create_room", ["r", "s", "h", "a", "--persist"])


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("kick_sesion", [], 'did you mean "kick_session"'),
        ("kick_session", ["alice"], "HOST is missing; usage: kick_session USER HOST RESOURCE"),
        ("kick_session", ["a", "h", "r", "why", "more"], "1 argument(s) too many, from 'more'"),
        ("kick_session", ["a b", "h", "r"], "account must be an address like user@example.org; "),
        ("kick_session", ["a@b", "h", "r"], "account must be an address"),
        ("kick_session", ["a", "h/x", "r"], "'h/x' is no host name"),
        ("kick_session", {"usr": "a"}, '(did you mean "user"?)'),
        ("kick_session", {"user": "a", "host": "h"}, "RESOURCE is missing"),
        ("set_limit", ["many"], "count must be a whole number, not 'many'; usage: set_limit COUNT"),
        ("set_limit", ["9" * 20], "count must lie between -9223372036854775808 and 9223372036854775807; usage: "),
        ("set_limit", {"count": -(1 << 63) - 1}, "count must lie between"),
        ("set_limit", {"count": True}, "count must be a whole number"),
        ("set_limit", {"count": 1.5}, "count must be a whole number"),
        ("create_room", ["r", "s", "h", "", "maybe"], "persistent must be true or false, not 'maybe'"),
        ("create_room", {"room": 5, "service": "s", "host": "h", "members": []}, "room must be a text, not 5"),
    ],
)
async def test_what_is_wrong_is_said(name: str, arguments: list[str], expected: str) -> None:
    with pytest.raises(CommandError) as error:
        await table(KICK, ROOM, LIMIT).call(name, arguments)
    assert expected in str(error.value)


async def test_a_call_goes_to_the_host_it_speaks_of() -> None:
    commands = Commands()
    for name in ("a.example", "b.example"):
        host = Host(name)
        commands.add(describe(host.here, "here", ""), name)
        commands.add(describe(host.rooms, "rooms", ""), name)
        commands.add(describe(host.contact, "contact", ""), name)
    assert await commands.call("here", ["x", "B.example"]) == "b.example"
    assert await commands.call("contact", ["x", "b.example", "y", "elsewhere.example"]) == "b.example"
    assert await commands.call("rooms", [], host="a.example") == "a.example"
    with pytest.raises(CommandError, match="say which"):
        await commands.call("rooms")
    with pytest.raises(CommandError, match=r"'c.example' does not offer here; hosts that do: a.example, b.example"):
        await commands.call("here", ["x", "c.example"])
    commands.remove("rooms", "b.example")
    assert await commands.call("rooms") == "a.example"
    commands.remove("rooms", "a.example")
    assert commands.names() == ["contact", "here"]


async def test_one_name_once_a_host() -> None:
    with pytest.raises(ValueError, match="exists already"):
        table(KICK, KICK)


async def test_progress_is_handed_in_and_is_no_argument() -> None:
    async def long(file: str, progress: Progress) -> int:
        progress(1, 2)
        return 1

    command = describe(long, "long", "")
    assert command.usage == "long FILE"
    seen: list[tuple[int, int]] = []
    assert await table(command).call("long", ["f"], progress=lambda done, total: seen.append((done, total))) == 1
    assert await table(command).call("long", ["f"]) == 1
    assert seen == [(1, 2)]


async def test_a_stanza_error_of_a_command_is_told_in_words() -> None:
    async def refuse() -> None:
        raise StanzaError("item-not-found", "there is no such room")

    with pytest.raises(CommandError, match="there is no such room"):
        await table(describe(refuse, "refuse", "")).call("refuse")


def test_methods_lose_their_self_and_strange_types_are_refused() -> None:
    class Module:
        async def get_last(self, account: JID) -> int:
            return 1

        async def wrong(self, what: bytes) -> None: ...

    assert describe(Module().get_last, "get_last", "").usage == describe(Module.get_last, "get_last", "").usage
    with pytest.raises(TypeError, match="what is <class 'bytes'>"):
        describe(Module.wrong, "wrong", "")


async def test_a_relative_path_starts_from_the_callers_folder() -> None:
    async def read(file: Path) -> str:
        return str(file)

    commands = table(describe(read, "read", ""))
    assert await commands.call("read", ["a.xml"], folder=Path("/home/me")) == "/home/me/a.xml"
    assert await commands.call("read", ["/b.xml"], folder=Path("/home/me")) == "/b.xml"
    assert await commands.call("read", ["c.xml"]) == "c.xml"
