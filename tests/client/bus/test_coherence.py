"""The proof of coherence, for a minute; `python -m tests.client.bus.coherence --minutes 60` for an hour."""

from __future__ import annotations

from pathlib import Path

import pytest

from .coherence.trial import run
from .servers import SERVERS


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SERVERS))
async def test_no_reader_sees_what_it_may_not(name: str, tmp_path: Path) -> None:
    reason = SERVERS[name].missing()
    if reason:
        pytest.skip(reason)
    report = await run(SERVERS[name](tmp_path), tmp_path, 60)
    told = "\n".join(report.lines())
    assert report.counts["violations"] == 0, told
    assert not report.complaints, told
    assert report.counts["published"] > 100, told
    assert report.counts["confirmed"] > 100, told
    assert report.counts["catch_ups"] > 0, told
    assert report.quiet_hit_rate > 0.9, told
