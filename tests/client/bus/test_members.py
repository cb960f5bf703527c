"""What the presence of members says."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

import pytest

from xmppd.client.bus.members import LONGEST_LEASE, read_member


@pytest.mark.parametrize(
    ("written", "lease"),
    [("7", 7.0), ("0.5", 0.5), ("-1", 0.0)]
    + [(text, LONGEST_LEASE) for text in ("", "soon", "nan", "inf", "-inf", "1e999", "4000")],
)
def test_a_lease_is_believed_within_bounds(written: str, lease: float) -> None:
    xml = fromstring(
        f"<presence><member xmlns='urn:xmppd:bus:0' origin='a' epoch='e' seq='0' lease='{written}'/></presence>"
    )
    member = read_member(xml, "a")
    assert member is not None
    assert member.lease == lease
