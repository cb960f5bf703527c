"""The updates that are measured are those that clients send."""

import json
from base64 import b64decode

from lxml import etree

from tests.bench.updates import BOSH, METHODS, WAYS, Cost, as_markdown, stanzas
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
    costs = {
        ("JSON", ""): Cost(131.04, 153, 60),
        ("JSON", "zlib"): Cost(10, 32, 61.26),
        ("JSON", BOSH): Cost(393, 4, 1),
    }
    head, rule, *lines = as_markdown(costs, {"": 12, "zlib": 76.4, "zstd": 104, BOSH: 24}).splitlines()
    assert head == "| one update as | bytes | in TLS records | CPU µs | KiB of the session |"
    assert rule == "| --- | ---: | ---: | ---: | ---: |"
    assert lines[:3] == [
        "| JSON, not compressed | 131.0 | 153.0 | 60.0 | 12 |",
        "| JSON, zlib | 10.0 | 32.0 | 61.3 | 76 |",
        "| JSON, by BOSH | 393.0 | 4.0 | 1.0 | 24 |",
    ]


def test_every_way_is_measured_by_every_method_and_by_bosh() -> None:
    assert set(METHODS) == {"", "zlib", "zstd", BOSH}
