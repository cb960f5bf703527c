"""The proof of coherence, for a minute; `python -m tests.client.bus.coherence --minutes 60` for an hour."""

from __future__ import annotations

from pathlib import Path

import pytest

from .coherence.trial import KINDS, run
from .servers import Xmppd


@pytest.mark.slow
async def test_no_reader_sees_what_it_may_not(tmp_path: Path) -> None:
    report = await run(Xmppd(tmp_path), tmp_path, 60)
    told = "\n".join(report.lines())
    assert report.counts["violations"] == 0, told
    assert not report.complaints, told
    assert set(report.breaks) == set(KINDS), told
    for what in ("published", "confirmed", "catch_ups", "resets"):
        assert report.counts[what] > 0, told
    assert report.quiet_hit_rate > 0.9, told
