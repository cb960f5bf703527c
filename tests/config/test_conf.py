"""The files in conf/: they can be used as they are, and xmppd.yml names every option with its default."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from xmppd.api.loader import bundled, find
from xmppd.config import Auth, Config, Limits, Listener, load
from xmppd.config.model import HostOverride
from xmppd.server_commands.checking import read

CONF = Path(__file__).parents[2] / "conf"
OPTION = re.compile(r"^# ?((?:  +| *- |[a-z_]+:).*)$", re.MULTILINE)


@pytest.fixture(scope="module")
def everything() -> dict[str, Any]:
    """xmppd.yml with every option that it shows in a comment."""
    text = (CONF / "xmppd.yml").read_text()
    values = yaml.safe_load(OPTION.sub(r"\1", text))
    assert isinstance(values, dict)
    return values


@pytest.mark.parametrize("name", sorted(path.name for path in CONF.glob("*.yml")))
def test_each_file_is_right(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUS_TOKEN", "a token has no blanks".replace(" ", "-"))
    read(CONF / name)


def test_what_is_shown_in_comments_is_right_too(everything: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "bus.secret").write_text("secret")
    values = {**everything, "hosts": [*everything["hosts"], *everything["host_config"]]}
    Config.from_dict(values, tmp_path)


@pytest.mark.parametrize(
    ("model", "path"),
    [(Config, ()), (Limits, ("limits",)), (Auth, ("auth",)), (HostOverride, ("host_config", "guests.example.org"))],
)
def test_every_option_is_shown(everything: dict[str, Any], model: type[BaseModel], path: tuple[str, ...]) -> None:
    section = everything
    for key in path:
        section = section[key]
    assert set(section) == set(model.model_fields)


def test_every_option_of_a_door_is_shown(everything: dict[str, Any]) -> None:
    assert {key for door in everything["listen"] for key in door} == set(Listener.model_fields)


def test_what_stands_in_a_comment_is_the_default(everything: dict[str, Any]) -> None:
    assert Limits(**everything["limits"]) == Limits()
    assert Auth(**everything["auth"]) == Auth()
    defaults = Config.from_dict({})
    for name in ("database", "tls_min_version", "resource_conflict"):
        assert everything[name] == getattr(defaults, name)


def test_every_bundled_module_is_shown_with_its_defaults(everything: dict[str, Any]) -> None:
    assert sorted(everything["modules"]) == bundled()
    for name, options in everything["modules"].items():
        model = find(name).Options
        assert set(options) == set(model.model_fields), name
        assert model(**options) == model(), name


def test_every_module_takes_six_lines_at_most() -> None:
    """docs/modules.md says so."""
    (section,) = re.findall(r"^modules:\n((?:  .*\n)+)", (CONF / "xmppd.yml").read_text(), re.MULTILINE)
    lines = {
        part.partition(":")[0].strip(): part.count("\n") for part in re.split(r"^(?=  \S)", section, flags=re.M)[1:]
    }
    assert sorted(lines) == bundled()
    assert {name: count for name, count in lines.items() if count > 6} == {}


def test_the_demo_lies_beside_its_command() -> None:
    assert (CONF.parent / "xmppd" / "cli" / "demo.yml").read_text() == (CONF / "demo.yml").read_text()
    assert all(door.ip == "127.0.0.1" for door in load(CONF / "demo.yml").listen)
