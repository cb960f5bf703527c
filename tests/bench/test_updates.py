"""The updates that are measured are those that clients send."""

import json
from base64 import b64decode

from lxml import etree

from tests.bench.updates import WAYS, Cost, as_markdown, stanzas
from xmppd.client.channels import unpacked
from xmppd.client.channels.records import Records


def test_every_way_carries_the_same_updates() -> None:
    json_way, *channels = WAYS
    said = [json.loads(etree.fromstring(stanza)[0].text or "") for stanza in stanzas(json_way, "b@localhost/x", 20)]
    assert len(said) == 20
    assert said[0].keys() == {"s", "x"}
    for way in channels:
        blocks = [b64decode(etree.fromstring(stanza)[0].text or "") for stanza in stanzas(way, "b@localhost/x", 20)]
        assert len(blocks) == 20 // way.gathered
        records = Records()
        assert [unpacked(record) for block in blocks for record in records.feed(block)] == said


def test_the_table_has_a_line_for_each_way_and_method() -> None:
    costs = {("JSON", ""): Cost(131.04, 153, 60), ("JSON", "zlib"): Cost(10, 32, 61.26)}
    table = as_markdown(costs, {"": 12, "zlib": 76, "zstd": 104})
    assert "| JSON, not compressed | 131.0 | 153.0 | 60.0 |\n| JSON, zlib | 10.0 | 32.0 | 61.3 |\n" in table
    assert "64 KiB with zlib, 92 KiB with zstd" in table
