"""The room benches' own counting and drawing."""

import socket

from lxml import etree

from tests.bench.occupants import Gathering
from tests.bench.plot import Panel, svg
from tests.bench.rooms import Cost, as_markdown, as_svg
from tests.bench.test_bench import Unconnected

PRESENCE = b"<presence from='a room/one'><x><item affiliation='none' role='participant'/></x></presence>"
SUBJECT = b"<message from='a room' type='groupchat'><subject></subject></message>"


def test_a_client_is_inside_once_the_subject_has_come_though_it_is_cut() -> None:
    at = SUBJECT.index(b"<subject")
    for cut in range(at + 1, at + len(b"<subject")):
        (one, _one), (other, server) = pairs = socket.socketpair(), socket.socketpair()
        gathering = Gathering([Unconnected(one), Unconnected(other)], "room@rooms.example")
        server.sendall(PRESENCE + SUBJECT[:cut])
        gathering.turn(0)
        server.sendall(SUBJECT[cut:])
        gathering.grow(2)
        gathering.close()
        for end in (end for pair in pairs for end in pair):
            end.close()
        assert gathering.delivered == 1, cut


def test_the_table_has_a_line_for_each_size_and_columns_for_each_server() -> None:
    costs = {"one": [Cost(10, 700, 20.04), Cost(20, 1500, 21)], "other": [Cost(10, 90, 3), Cost(20, 95, 3)]}
    assert "| 10 | 20.0 | 3.0 | 700 | 90 |\n| 20 | 21.0 | 3.0 | 1,500 | 95 |\n" in as_markdown(costs)
    assert etree.fromstring(as_svg(costs)).xpath("count(//*[local-name()='polyline'])") == 4


def test_a_line_rises_with_its_figures_and_stays_inside_of_the_drawing() -> None:
    drawn = etree.fromstring(svg([Panel("cost", {"a & b": [(1, 3), (10, 20), (1000, 2000)]})], "size"))
    path = drawn.xpath("string(//*[local-name()='polyline']/@points)")
    points = [[float(number) for number in point.split(",")] for point in path.split()]
    width, height = float(drawn.get("width")), float(drawn.get("height"))
    assert all(0 < x < width and 0 < y < height for x, y in points)
    assert points == sorted(points, key=lambda point: (point[0], -point[1]))
