"""The bus bench's own counting."""

from tests.bench.bus.__main__ import as_markdown
from tests.bench.bus.measure import Cost, Watch
from tests.bench.bus.xmppd import RoomOfTheBus


async def test_a_key_is_done_when_all_others_have_applied_it() -> None:
    watch = Watch()
    done = watch.sent(0, "a", 2)
    watch.applied(0, "a")  # the publisher, which need not wait
    watch.applied(1, "a")
    watch.applied(1, "b")  # nobody has sent that
    assert not done.done()
    watch.applied(2, "a")
    assert done.done()
    assert (len(watch.times), len(watch.last)) == (2, 1)
    assert watch.times[-1] == watch.last[0]


def test_the_table_has_a_line_for_each_way() -> None:
    table = as_markdown({RoomOfTheBus: Cost(0.001, 0.01, 0.0015, 87.6, 1234.5, 6.78)})
    assert "| xmppd, the bus | 1.00 ms | 10.00 ms | 1.50 ms | 88 | 1,234 | 6.8 | what is lost" in table
