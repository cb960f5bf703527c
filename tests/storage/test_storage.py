"""What every storage promises."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from xmppd.storage import Closed, Conflict, Many, Storage, StorageError, group, open_storage

INSERT = "INSERT INTO letters (text) VALUES (?)"
ADD = "INSERT INTO letters (id, text) VALUES (?, ?)"
TEXTS = "SELECT text FROM letters ORDER BY id"


async def test_what_is_written_can_be_read(storage: Storage) -> None:
    await storage.write((INSERT, ("hello",)))
    assert await storage.fetch("SELECT id, text FROM letters") == [(1, "hello")]
    assert await storage.fetch_one("SELECT text FROM letters WHERE id = ?", 1) == ("hello",)
    assert await storage.fetch_one("SELECT text FROM letters WHERE id = ?", 2) is None


async def test_a_row_that_is_looked_up_is_that_of_a_read(storage: Storage) -> None:
    one = "SELECT text FROM letters WHERE id = ?"
    assert await storage.look(one, 1) is None
    for text in ("a", "b"):
        await storage.write(
            ("INSERT INTO letters (id, text) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET text = ?", (text, text))
        )
        assert await storage.look(one, 1) == await storage.fetch_one(one, 1) == (text,)
    with pytest.raises(StorageError):
        await storage.look("SELECT nothing FROM nowhere")


async def test_bytes_text_and_large_numbers_come_back_as_they_went(storage: Storage) -> None:
    row = (2**62, "zażółć 𝄞 '?'", b"\x00\xff?")
    await storage.write(("INSERT INTO letters (id, text, body) VALUES (?, ?, ?)", row))
    assert await storage.fetch("SELECT id, text, body FROM letters") == [row]


async def test_each_statement_gives_its_rows(storage: Storage) -> None:
    rows = await storage.write((INSERT + " RETURNING id, text", ("a",)), (INSERT, Many([("b",), ("c",)])))
    assert rows == [[(1, "a")], []]
    assert await storage.fetch(TEXTS) == [("a",), ("b",), ("c",)]


async def test_rows_of_equal_statements_in_one_group_go_to_their_own_commits(storage: Storage) -> None:
    commits = [storage.write((INSERT + " RETURNING text", (text,))) for text in "abc"]
    assert [await commit for commit in commits] == [[[("a",)]], [[("b",)]], [[("c",)]]]


async def test_writes_happen_in_the_order_of_calls(storage: Storage) -> None:
    for text in "ab":
        storage.write((INSERT, (text,)))
    storage.write(("UPDATE letters SET text = text || ?", ("!",)))
    await storage.write((INSERT, ("c",)))
    assert await storage.fetch(TEXTS) == [("a!",), ("b!",), ("c",)]


async def test_a_conflict_undoes_its_own_transaction_only(storage: Storage) -> None:
    storage.write((INSERT, ("a",)))
    failing = storage.write((INSERT, ("b",)), (INSERT, ("a",)))
    await storage.write((INSERT, ("c",)))
    with pytest.raises(Conflict, match="letters"):
        await failing
    assert await storage.fetch(TEXTS) == [("a",), ("c",)]


async def test_a_conflict_among_many_rows_undoes_them_all(storage: Storage) -> None:
    with pytest.raises(Conflict):
        await storage.write((INSERT, Many([("a",), ("b",), ("a",)])))
    assert await storage.fetch(TEXTS) == []


async def test_what_fails_without_a_conflict_is_no_conflict(storage: Storage) -> None:
    for sql, parameters in ((INSERT, (None,)), ("INSERT INTO nowhere (id) VALUES (?)", (1,)), (INSERT, ("a", "b"))):
        with pytest.raises(StorageError) as caught:
            await storage.write((sql, parameters))
        assert type(caught.value) is StorageError


async def test_on_conflict_runs_everywhere(storage: Storage) -> None:
    upsert = INSERT + " ON CONFLICT (text) DO UPDATE SET body = excluded.body RETURNING id"
    assert await storage.write((upsert, ("a",))) == await storage.write((upsert, ("a",)))
    assert await storage.write((INSERT + " ON CONFLICT DO NOTHING RETURNING id", ("a",))) == [[]]


async def test_a_read_cannot_write(storage: Storage) -> None:
    with pytest.raises(StorageError):
        await storage.fetch(INSERT, "a")
    await storage.write((INSERT, ("a",)))
    assert await storage.fetch(TEXTS) == [("a",)]


async def test_a_wrong_read_says_what_is_wrong(storage: Storage) -> None:
    with pytest.raises(StorageError, match="nowhere"):
        await storage.fetch("SELECT * FROM nowhere")
    with pytest.raises(StorageError, match="nowhere"):
        await storage.fetch_one("SELECT * FROM nowhere")
    with pytest.raises(StorageError, match="nowhere"):
        await anext(storage.pages("SELECT * FROM nowhere"))


async def test_thousands_of_rows_at_once_and_in_pages(storage: Storage) -> None:
    texts = [(f"{n:05}",) for n in range(2345)]
    await storage.write((INSERT, Many(texts)))
    assert await storage.fetch(TEXTS) == texts
    pages = [page async for page in storage.pages(TEXTS, size=1000)]
    assert [len(page) for page in pages] == [1000, 1000, 345]
    assert [row for page in pages for row in page] == texts


async def test_pages_show_one_moment_and_hold_nobody_up(storage: Storage) -> None:
    await storage.write((INSERT, Many([("a",), ("b",)])))
    pages = storage.pages(TEXTS + " LIMIT ?", 10, size=1)
    assert await anext(pages) == [("a",)]
    await storage.write((INSERT, ("c",)))
    for _ in range(4):
        assert await storage.fetch(TEXTS) == [("a",), ("b",), ("c",)]
    assert [page async for page in pages] == [[("b",)]]


async def test_pages_may_be_left_before_the_end(storage: Storage) -> None:
    await storage.write((INSERT, Many([("a",), ("b",)])))
    pages = storage.pages(TEXTS, size=1)
    await anext(pages)
    await pages.aclose()
    assert len(await storage.fetch(TEXTS)) == 2


async def test_each_read_sees_what_was_committed_before_it(storage: Storage) -> None:
    for number in range(1, 9):
        commit = storage.write((INSERT, (str(number),)))
        await storage.fetch_one(TEXTS)
        await commit
        assert await storage.fetch_one("SELECT COUNT(*) FROM letters") == (number,)


async def test_many_reads_at_once(storage: Storage) -> None:
    await storage.write((INSERT, Many([(str(n),) for n in range(100)])))
    reads = [storage.fetch_one("SELECT text FROM letters WHERE id = ?", n + 1) for n in range(100)]
    assert await asyncio.gather(*reads) == [(str(n),) for n in range(100)]


async def test_a_read_given_up_leaves_the_others_alone(storage: Storage) -> None:
    await storage.write((INSERT, ("a",)))
    reads = [asyncio.ensure_future(storage.fetch(TEXTS)) for _ in range(10)]
    await asyncio.sleep(0)
    reads[0].cancel()
    assert await asyncio.gather(*reads[1:]) == [[("a",)]] * 9


async def test_closing_waits_for_what_is_queued(url: str, tmp_path: Path) -> None:
    storage = await open_storage(url, tmp_path)
    await storage.migrate("letters", ["CREATE TABLE letters (id INTEGER PRIMARY KEY, text TEXT)"])
    commits = [storage.write((INSERT, (str(n),))) for n in range(100)]
    await storage.close()
    assert all(commit.done and not commit.error for commit in commits)
    storage = await open_storage(url, tmp_path)
    assert await storage.fetch_one("SELECT COUNT(*) FROM letters") == (100,)
    await storage.close()


async def test_after_closing_nothing_is_taken(storage: Storage) -> None:
    await storage.close()
    await storage.close()
    with pytest.raises(Closed):
        storage.write((INSERT, ("a",)))
    with pytest.raises(Closed):
        await storage.fetch(TEXTS)
    with pytest.raises(Closed):
        await storage.fetch_one(TEXTS)
    with pytest.raises(Closed):
        await anext(storage.pages(TEXTS))
    with pytest.raises(Closed):
        await storage.migrate("letters", [])


async def test_a_word_that_names_no_database_is_refused_without_repeating_it(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="must be 'sqlite' or a URL") as caught:
        await open_storage("mysql://root:secret@host/db", tmp_path)
    assert "secret" not in str(caught.value)


async def test_rows_added_one_after_the_other_share_a_commit(storage: Storage) -> None:
    one, two = storage.add(ADD, (1, "a")), storage.add(ADD, (2, "b"))
    assert one is two
    await two
    assert await storage.fetch("SELECT id, text FROM letters ORDER BY id") == [(1, "a"), (2, "b")]


async def test_rows_added_around_a_write_keep_their_order(storage: Storage) -> None:
    storage.add(ADD, (1, "a"))
    storage.write(("DELETE FROM letters", ()))
    await storage.add(ADD, (2, "b"))
    assert await storage.fetch("SELECT id FROM letters") == [(2,)]


async def test_what_is_added_to_a_long_row_of_rows_begins_another(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group, "ROWS_JOINED", 2)
    commits = [storage.add(ADD, (number, str(number))) for number in range(5)]
    assert len(set(map(id, commits))) == 3
    await commits[-1]
    assert len(await storage.fetch("SELECT id FROM letters")) == 5


async def test_texts_are_found_by_their_words(storage: Storage) -> None:
    words = storage.words
    await storage.migrate("words", [words.create.format(table="heard")])
    for number, text in enumerate(("Wherefore art thou", "thou art a villain", 'art "OR" NEAR(')):
        await storage.add(words.insert.format(table="heard"), (number, text))
    for wanted, found in ((["ART", "thou"], [0, 1]), (['"OR"', "NEAR("], [2]), (["nothing"], [])):
        rows = await storage.fetch(words.matches.format(table="heard"), words.wanted(wanted))
        assert sorted(row[0] for row in rows) == found, wanted
