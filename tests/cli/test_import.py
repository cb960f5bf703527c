"""Taking over the users of another server (XEP-0227)."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from xmppd.commands import CommandError
from xmppd.sasl.keys import derive
from xmppd.server import Server
from xmppd.testing import TestServer, running
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Element

FILE = """<?xml version='1.0' encoding='UTF-8'?>
<server-data xmlns='urn:xmpp:pie:0'><host jid='{host}'>{users}</host></server-data>"""
ROSTER = "<query xmlns='jabber:iq:roster'><item jid='b@x.example' subscription='both'/></query>"
VCARD = "<vCard xmlns='vcard-temp'><FN>Juliet</FN></vCard>"


class Rosters:
    """Stands for a module that takes rosters."""

    name = "rosters"

    def __init__(self) -> None:
        self.taken: dict[JID, str] = {}
        self.existed: list[bool] = []

    async def import_account(self, account: JID, element: Element) -> bool:
        if element.tag != "{jabber:iq:roster}query":
            return False
        item = element[0]
        if item.get("jid") == "bad":
            raise StanzaError("jid-malformed", "bad is no contact")
        self.taken[account] = str(item.get("jid"))
        return True


@pytest.fixture
async def server() -> AsyncIterator[TestServer]:
    async with running(modules={}) as server:
        server.hosts["localhost"].modules = {"rosters": Rosters()}
        yield server


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "users.xml"


def rosters(server: Server) -> Rosters:
    module = server.hosts["localhost"].modules["rosters"]
    assert isinstance(module, Rosters)
    return module


def write(file: Path, text: str) -> int:
    return file.write_text(text)


async def take(server: Server, file: Path, users: str, host: str = "localhost") -> dict[str, object]:
    write(file, FILE.format(users=users, host=host))
    result = await server.commands.call("import", [str(file)])
    assert isinstance(result, dict)
    return result


async def test_accounts_come_with_what_modules_take(server: TestServer, file: Path) -> None:
    users = f"<user name='Juliet' password='secret'>{ROSTER}{VCARD}</user><user name='romeo' password='x'/>"
    result = await take(server, file, users)
    assert result == {"created": 2, "existing": 0, "ignored": ["vCard of vcard-temp (1 times)"]}
    accounts = server.hosts["localhost"].accounts
    assert await accounts.names() == ["juliet", "romeo"]
    assert await accounts.check_password("juliet", "secret")
    assert rosters(server).taken == {"juliet@localhost": "b@x.example"}


async def test_keys_are_taken_as_they_are(server: TestServer, file: Path) -> None:
    keys = derive("secret", "SHA-1", 10000)
    parts = {"salt": keys.salt, "server-key": keys.server_key, "stored-key": keys.stored_key}
    scram = "<iter-count>10000</iter-count>"
    scram += "".join(f"<{name}>{base64.b64encode(part).decode()}</{name}>" for name, part in parts.items())
    users = f"<user name='j'><scram-credentials xmlns='urn:xmpp:pie:0#scram' mechanism='SCRAM-SHA-1'>{scram}"
    assert await take(server, file, users + "</scram-credentials></user>") == {"created": 1, "existing": 0}
    assert await server.hosts["localhost"].accounts.credentials("j") == {"SHA-1": keys}
    assert await server.hosts["localhost"].accounts.check_password("j", "secret")


async def test_without_password_or_with_broken_keys_nobody_can_log_in_yet(server: TestServer, file: Path) -> None:
    broken = (
        "<user name='b'><scram-credentials xmlns='urn:xmpp:pie:0#scram' mechanism='SCRAM-SHA-1'>"
        "<iter-count>many</iter-count></scram-credentials></user>"
    )
    result = await take(server, file, "<user name='a'/>" + broken)
    assert result["created"] == 2
    assert result["without a password (use change_password)"] == ["a@localhost", "b@localhost"]
    assert not await server.hosts["localhost"].accounts.check_password("a", "")


async def test_a_second_import_changes_nothing(server: TestServer, file: Path) -> None:
    await take(server, file, f"<user name='j' password='old'>{ROSTER}</user>")
    rosters(server).taken.clear()
    result = await take(server, file, f"<user name='J' password='new'>{ROSTER}</user><user name='k' password='k'/>")
    assert result == {"created": 1, "existing": 1}
    assert rosters(server).taken == {}
    assert await server.hosts["localhost"].accounts.check_password("j", "old")


async def test_who_cannot_be_taken_is_named(server: TestServer, file: Path) -> None:
    bad = "<query xmlns='jabber:iq:roster'><item jid='bad'/></query>"
    users = f"<user name='a b' password='x'/><user name='' password='x'/><user name='j' password='x'>{bad}</user>"
    result = await take(server, file, users + "<user name='twice' password='1'/><user name='twice' password='2'/>")
    assert (result["created"], result["existing"]) == (2, 1)
    refused = result["refused"]
    assert isinstance(refused, list)
    assert [line.partition(":")[0] for line in refused] == ["a b@localhost", "@localhost", "j@localhost"]
    assert refused[2] == "j@localhost: query: bad is no contact"


async def test_a_host_that_is_not_served_is_told(server: TestServer, file: Path) -> None:
    result = await take(server, file, "<user name='j' password='x'/>", "other.example")
    assert result["refused"] == ["j@other.example: add 'other.example' to hosts and import again"]


async def test_progress_is_in_bytes_and_reaches_the_end(server: TestServer, file: Path) -> None:
    size = write(file, FILE.format(host="localhost", users="".join(f"<user name='u{n}'/>" for n in range(1200))))
    seen: list[tuple[int, int]] = []
    await server.commands.call("import", [str(file)], progress=lambda done, total: seen.append((done, total)))
    assert len(seen) == 3
    assert seen == sorted(seen)
    assert seen[-1] == (size, size)
    assert len(await server.hosts["localhost"].accounts.names(limit=2000)) == 1200


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "<server-data xmlns='urn:xmpp:pie:0'><host jid='localhost'><user name='j'/>",
            "what stands before it is imported",
        ),
        ("", "users.xml: "),
        ("<html/>", "is not in the format of XEP-0227"),
        (
            "<!DOCTYPE a [<!ENTITY b 'c'>]><server-data xmlns='urn:xmpp:pie:0'/>",
            "has a document type (<!DOCTYPE); remove it",
        ),
    ],
)
async def test_a_file_of_another_kind(server: TestServer, file: Path, text: str, expected: str) -> None:
    write(file, text)
    with pytest.raises(CommandError) as error:
        await server.commands.call("import", [str(file)])
    assert expected in str(error.value)


async def test_what_stands_before_the_break_is_imported(server: TestServer, file: Path) -> None:
    write(file, FILE.format(host="localhost", users="<user name='a'/><user name='b'/><user name=") + "<")
    with pytest.raises(CommandError, match="line 2, column"):
        await server.commands.call("import", [str(file)])
    assert await server.hosts["localhost"].accounts.names() == ["a", "b"]


async def test_entities_are_never_expanded(server: TestServer, file: Path) -> None:
    entities = "".join(f"<!ENTITY e{n} '{f'&e{n - 1};' * 10}'>" for n in range(1, 12))
    write(
        file,
        f"<!DOCTYPE s [<!ENTITY e0 'aaaaaaaaaa'>{entities}]>"
        "<server-data xmlns='urn:xmpp:pie:0'><host jid='localhost'><user name='&e11;'/></host></server-data>",
    )
    with pytest.raises(CommandError):
        await server.commands.call("import", [str(file)])
    assert await server.hosts["localhost"].accounts.names() == []


async def test_a_file_that_is_not_there(server: TestServer, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"none\.xml: cannot be read: No such file or directory"):
        await server.commands.call("import", ["none.xml"], folder=tmp_path)


async def test_xml_inside_private_storage_is_no_user(server: TestServer, file: Path) -> None:
    private = "<query xmlns='jabber:iq:private'><host xmlns='urn:xmpp:pie:0' jid='localhost'><user name='evil'/></host>"
    await take(server, file, f"<user name='j' password='x'>{private}</query></user>")
    assert await server.hosts["localhost"].accounts.names() == ["j"]
