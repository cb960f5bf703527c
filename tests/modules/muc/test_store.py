"""Rooms in storage: what is written comes back."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.storage.conftest import url
from xmppd.modules.muc import store
from xmppd.modules.muc.settings import Settings
from xmppd.modules.muc.store import Hat, Line, Record, Shelf
from xmppd.modules.muc.tables import MIGRATIONS, TABLES
from xmppd.storage import Storage, open_storage
from xmppd.xmpp.jid import JID
from xmppd.xmpp.paging import PageRequest

__all__ = ["url"]

DOMAIN = "conference.localhost"
COVEN = JID("coven", DOMAIN)
CRONE, HECATE, WIZARD = (JID(name, "localhost") for name in ("crone1", "hecate", "wiz"))
GODDESS, COOK = Hat("urn:hat:goddess", "Goddess", "120.5"), Hat("urn:hat:cook", "Cook")
SUBJECT = Line(0, 1_700_000_000_000_000, "crone1", "", "s1", "en", b"<subject>Spells</subject>")


@pytest.fixture
async def storage(url: str, tmp_path: Path) -> AsyncIterator[Storage]:
    storage = await open_storage(url, tmp_path)
    await storage.migrate("muc", MIGRATIONS)
    yield storage
    await storage.close()


def coven() -> Record:
    return Record(
        COVEN,
        Settings(title="A Dark Cave", persistent=True, presence_broadcast=frozenset({"moderator"})),
        b"\x00secret",
        1_700_000_000,
        1_700_000_100,
        {CRONE: "owner", HECATE: "member", WIZARD: "outcast"},
        {WIZARD: "too <loud>"},
        {"Hecate": HECATE},
        SUBJECT,
        {GODDESS.uri: GODDESS},
        {HECATE: {GODDESS.uri}},
    )


async def test_a_room_comes_back_as_it_was(storage: Storage) -> None:
    await storage.write(*store.create(coven()), store.put_card(COVEN, "<vCard xmlns='vcard-temp'/>", "abc"))
    shelf = Shelf(storage, DOMAIN)
    assert await shelf.load(COVEN) == replace(coven(), avatar="abc")
    assert await shelf.card(COVEN) == "<vCard xmlns='vcard-temp'/>"
    assert await shelf.load(JID("heath", DOMAIN)) is None


async def test_each_change_is_seen(storage: Storage) -> None:
    await storage.write(*store.create(coven()))
    changed = Settings(title="A Light Cave", persistent=True)
    await storage.write(
        store.put_settings(COVEN, changed),
        store.put_used(COVEN, 1_700_000_200),
        store.put_affiliation(COVEN, WIZARD, "none", ""),
        store.put_affiliation(COVEN, HECATE, "admin", "deserved"),
        *store.put_nick(COVEN, HECATE, "Triple"),
        *store.drop_hat(COVEN, GODDESS.uri),
        store.put_hat(COVEN, COOK),
        store.wear_hat(COVEN, CRONE, COOK.uri, True),
        store.put_subject(COVEN, replace(SUBJECT, letter=b"<subject/>")),
    )
    record = await Shelf(storage, DOMAIN).load(COVEN)
    assert record is not None
    assert (record.settings, record.used) == (changed, 1_700_000_200)
    assert record.affiliations == {CRONE: "owner", HECATE: "admin"}
    assert record.reasons == {HECATE: "deserved"}
    assert record.nicks == {"Triple": HECATE}
    assert record.hats == {COOK.uri: COOK}
    assert record.worn == {CRONE: {COOK.uri}}
    assert record.subject is not None
    assert record.subject.letter == b"<subject/>"
    await storage.write(*store.put_nick(COVEN, HECATE, ""), store.wear_hat(COVEN, CRONE, COOK.uri, False))
    record = await Shelf(storage, DOMAIN).load(COVEN)
    assert record is not None
    assert not record.nicks
    assert not record.worn


async def test_history_is_kept_in_order_and_forgotten_from_its_beginning(storage: Storage) -> None:
    lines = [
        Line(seq, seq * 10, "crone1", f"{CRONE}/x", f"m{seq}", "", b"<body>%d</body>" % seq) for seq in range(1, 6)
    ]
    await storage.write(*(store.put_line(COVEN, line) for line in lines))
    shelf = Shelf(storage, DOMAIN)
    assert await shelf.history(COVEN, 3) == lines[2:]
    await storage.write(store.drop_lines(COVEN, 2), store.drop_line(COVEN, 4))
    assert await shelf.history(COVEN, 10) == [lines[2], lines[4]]


async def test_nothing_is_left_of_a_deleted_room(storage: Storage) -> None:
    await storage.write(
        *store.create(coven()),
        store.put_card(COVEN, "<vCard/>", ""),
        store.put_line(COVEN, replace(SUBJECT, seq=1)),
    )
    await storage.write(*store.delete(COVEN))
    for table in TABLES:
        assert await storage.fetch_one(f"SELECT * FROM {table}") is None  # noqa: S608


async def test_public_rooms_are_listed_in_pages(storage: Storage) -> None:
    for name in ("a", "b", "c", "d"):
        record = replace(coven(), jid=JID(name, DOMAIN), settings=Settings(title=name.upper(), public=name != "b"))
        await storage.write(*store.create(record))
    await storage.write(*store.create(replace(coven(), jid=JID("x", "other.localhost"))))
    shelf = Shelf(storage, DOMAIN)

    async def names(request: PageRequest) -> str:
        listed, page = await shelf.public(request)
        assert page.count == 3
        assert page.ids == [room.jid for room in listed]
        return "".join(room.settings.title for room in listed)

    assert await names(PageRequest()) == "ACD"
    assert await names(PageRequest(max=2)) == "AC"
    assert await names(PageRequest(max=2, after=f"a@{DOMAIN}")) == "CD"
    assert await names(PageRequest(max=2, before=f"d@{DOMAIN}")) == "AC"
    assert await names(PageRequest(max=1, before="")) == "D"
    assert await names(PageRequest(max=2, index=1)) == "CD"
    assert await names(PageRequest(max=0)) == ""
    assert [room.jid.local for room in await shelf.all()] == ["a", "b", "c", "d"]
    assert [room.jid.local for room in await shelf.all(f"b@{DOMAIN}", 1)] == ["c"]
    assert await shelf.count() == 4


async def test_rooms_forget_an_account(storage: Storage) -> None:
    await storage.write(*store.create(coven()))
    shelf = Shelf(storage, DOMAIN)
    await storage.write(*store.forget_account(HECATE), *store.forget_account(WIZARD))
    record = await shelf.load(COVEN)
    assert record is not None
    assert record.affiliations == {CRONE: "owner", WIZARD: "outcast"}, "a ban outlives the account"
    assert not record.nicks
    assert not record.worn
