"""What else the door for HTTP answers: host-meta, metrics, pages, and routes of modules."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from lxml import etree

from tests.kit.http import Http
from tests.kit.world import World

from .doors import HANDLERS, a_web, http_door

ROUTED = "tests.stories.web.routed"
META = "/.well-known/host-meta"


@asynccontextmanager
async def dial(web: World) -> AsyncIterator[Http]:
    connection = await Http.dial(web.server.doors[-1].port)
    yield connection
    await connection.close()


# XEP-0156


async def test_0156_host_meta_in_xml_tells_where_the_doors_are(web: World) -> None:
    async with dial(web) as connection:
        answer = await connection.ask("GET", META, host="localhost:5280")
        found = {link.get("rel"): link.get("href") for link in etree.fromstring(answer.body)}
        assert found == {
            "urn:xmpp:alt-connections:websocket": "ws://localhost:5280/xmpp-websocket",
            "urn:xmpp:alt-connections:xbosh": "http://localhost:5280/http-bind",
        }
        assert answer.headers["content-type"].startswith("application/xrd+xml")


async def test_0156_host_meta_in_json_tells_the_same(web: World) -> None:
    async with dial(web) as connection:
        answer = await connection.ask("GET", f"{META}.json", host="localhost:5280")
        hrefs = {link["href"] for link in json.loads(answer.body)["links"]}
        assert hrefs == {"ws://localhost:5280/xmpp-websocket", "http://localhost:5280/http-bind"}


async def test_0156_pages_of_every_site_may_read_it(web: World) -> None:
    async with dial(web) as connection:
        answer = await connection.ask("GET", META, origin="https://anywhere.example")
        assert answer.headers["access-control-allow-origin"] == "*"


async def test_0156_what_the_configuration_says_is_told() -> None:
    async with a_web(http_door(urls={"bosh": "https://chat.example/bind"})) as web, dial(web) as connection:
        assert b"https://chat.example/bind" in (await connection.ask("GET", META)).body


@pytest.mark.parametrize(
    "host",
    [
        "a'/><evil\tx='",
        "localhost:1@evil.example",
        "localhost:evil",
        "[::1]@evil",
        "evil.example/",
        "eví",
        "localhost:",
    ],
)
async def test_0156_a_host_header_that_is_no_name_is_not_repeated(web: World, host: str) -> None:
    async with dial(web) as connection:
        connection.put(f"GET {META} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode("latin-1"))
        found = [link.get("href") for link in etree.fromstring((await connection.answer()).body)]
        assert found == ["http://localhost/http-bind", "ws://localhost/xmpp-websocket"]


@pytest.mark.parametrize("host", ["localhost", "Chat.example:443", "127.0.0.1:5280", "[::1]:5280", "my-host_1"])
async def test_0156_what_the_client_calls_the_host_is_repeated_with_its_port(web: World, host: str) -> None:
    async with dial(web) as connection:
        found = [link.get("href") for link in etree.fromstring((await connection.ask("GET", META, host=host)).body)]
        assert found == [f"http://{host}/http-bind", f"ws://{host}/xmpp-websocket"]


async def test_0487_with_addresses_each_link_has_all_that_is_mandatory() -> None:
    async with a_web(http_door(addresses=["192.0.2.1", "2001:db8::1"])) as web, dial(web) as connection:
        told = json.loads((await connection.ask("GET", f"{META}.json")).body)
        assert told["xmpp"]["ttl"] > 0
        for link in told["links"]:
            assert link["ips"] == ["192.0.2.1", "2001:db8::1"]
            assert (link["priority"], link["weight"], link["sni"]) == (10, 50, "localhost")


# Metrics and pages


async def test_metrics_are_shown() -> None:
    async with a_web(http_door(request_handlers={"/metrics": "metrics"})) as web, dial(web) as connection:
        answer = await connection.ask("GET", "/metrics")
        assert b"connections" in answer.body
        assert answer.headers["content-type"].startswith("text/plain; version=")


@pytest.fixture
async def pages(tmp_path: Path) -> AsyncIterator[World]:
    """A door that shows a folder."""
    root = tmp_path / "pages"
    (root / "game").mkdir(parents=True)
    (root / "index.html").write_text("<h1>hello</h1>")
    (root / "game" / "main.js").write_text("go()")
    (root / ".secret").write_text("secret")
    (tmp_path / "outside").write_text("secret")
    (root / "link").symlink_to(tmp_path / "outside")
    (root / "round").symlink_to(root / "round")
    door = http_door(document_root=str(root), request_handlers={**HANDLERS, "/": "pages"})
    async with a_web(door) as web:
        yield web


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        ("/", b"<h1>hello</h1>", "text/html; charset=utf-8"),
        ("/index.html?a=b", b"<h1>hello</h1>", "text/html; charset=utf-8"),
        ("http://localhost/index.html", b"<h1>hello</h1>", "text/html; charset=utf-8"),
        ("/game/main.js", b"go()", "text/javascript; charset=utf-8"),
    ],
)
async def test_a_page_is_shown(pages: World, path: str, body: bytes, kind: str) -> None:
    async with dial(pages) as connection:
        answer = await connection.ask("GET", path)
        assert (answer.status, answer.body) == (200, body)
        assert answer.headers["content-type"].replace("application/", "text/") == kind


@pytest.mark.parametrize(
    "path",
    [
        *("/../outside", "/%2e%2e/outside", "/.secret", "/link", "/missing", "/game%00", "/game/../../outside"),
        *("/" + "a" * 256, "/" + "a/" * 3000, "/round"),
    ],
)
async def test_what_is_outside_hidden_or_not_there_is_not_shown(pages: World, path: str) -> None:
    async with dial(pages) as connection:
        assert (await connection.ask("GET", path)).status == 404


async def test_a_page_that_has_not_changed_is_not_sent_again(pages: World) -> None:
    async with dial(pages) as connection:
        tag = (await connection.ask("GET", "/")).headers["etag"]
        assert (await connection.ask("GET", "/", if_none_match=tag)).status == 304


async def test_head_has_no_body(pages: World) -> None:
    async with dial(pages) as connection:
        assert (await connection.ask("HEAD", "/")).headers["content-length"] == "14"
        assert (await connection.ask("GET", "/")).status == 200


async def test_bosh_stands_beside_the_pages(pages: World) -> None:
    async with dial(pages) as connection:
        assert (await connection.ask("GET", "/http-bind")).status == 405


# Routes of modules


@pytest.fixture
async def routed() -> AsyncIterator[World]:
    """A door beneath which a module answers."""
    door = http_door(request_handlers={"/bus": "modules"}, origins=["https://chat.example"])
    async with a_web(door, modules={ROUTED: {}}) as web:
        yield web


async def test_a_module_answers(routed: World) -> None:
    async with dial(routed) as connection:
        answer = await connection.ask("POST", "/bus/lobby%20two", b"hello", authorization="Bearer sesame")
        assert json.loads(answer.body) == {"room": "lobby two", "body": "hello", "ip": "127.0.0.1"}
        assert (answer.headers["content-type"], answer.headers["x-room"]) == ("application/json", "yes")


async def test_an_error_of_a_module_is_a_status(routed: World) -> None:
    async with dial(routed) as connection:
        answer = await connection.ask("POST", "/bus/lobby", b"hello")
        assert (answer.status, answer.body) == (401, b"say who you are\n")


async def test_nothing_is_204(routed: World) -> None:
    async with dial(routed) as connection:
        assert (await connection.ask("DELETE", "/bus/lobby")).status == 204


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/bus/lobby", 405), ("GET", "/bus", 404), ("GET", "/other/a", 404)]
)
async def test_what_no_module_answers_is_refused(routed: World, method: str, path: str, status: int) -> None:
    async with dial(routed) as connection:
        assert (await connection.ask(method, path)).status == status


async def test_a_crash_is_500_and_stays_inside(routed: World, caplog: pytest.LogCaptureFixture) -> None:
    async with dial(routed) as connection:
        answer = await connection.ask("GET", "/bus/lobby/crash")
        assert (answer.status, b"lobby" in answer.body) == (500, False)
        assert "failed" in caplog.text


async def test_pages_of_allowed_sites_may_ask(routed: World) -> None:
    async with dial(routed) as connection:
        preflight = await connection.ask("OPTIONS", "/bus/lobby", origin="https://chat.example")
        assert preflight.headers["access-control-allow-methods"] == "DELETE, OPTIONS, POST"
        assert (await connection.ask("DELETE", "/bus/lobby", origin="https://evil.example")).status == 403


async def test_an_unloaded_module_answers_no_more(routed: World) -> None:
    await routed.server._loaders["localhost"].unload(ROUTED)
    async with dial(routed) as connection:
        assert (await connection.ask("DELETE", "/bus/lobby")).status == 404
