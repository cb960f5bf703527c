"""Last words: for a while, and within bounds."""

from __future__ import annotations

from xmppd.http.bosh_buried import BESIDE, MOST, Buried


def test_they_are_kept_until_their_time_is_over() -> None:
    buried = Buried()
    buried.add("one", b"words", b"text/xml", 100.0)
    buried.add("two", b"others", b"text/html", 101.0)
    buried.expire(99.0)
    assert buried.find("one") == (b"words", b"text/xml")
    buried.expire(100.0)
    assert buried.find("one") is None
    assert buried.find("two") == (b"others", b"text/html")
    buried.expire(101.0)
    assert buried.size == 0


def test_past_the_limit_the_oldest_are_forgotten() -> None:
    buried = Buried()
    many = MOST // (1000 + BESIDE) + 1
    for number in range(many):
        buried.add(str(number), bytes(1000), b"", 100.0)
    assert buried.size <= MOST
    assert buried.find("0") is None
    assert buried.find("1") is not None
    assert buried.find(str(many - 1)) is not None
