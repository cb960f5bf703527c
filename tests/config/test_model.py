"""The configuration in code: defaults, folders, who is let in, what may change live."""

import gc
from typing import Any

import pytest

from xmppd.config import Config, ConfigError, Limits, differences
from xmppd.xmpp.jid import JID


def test_nothing_need_be_said() -> None:
    config = Config.from_dict({})
    assert config.hosts == ("localhost",)
    assert [(door.ip, door.port) for door in config.listen] == [("127.0.0.1", 0)]
    assert config.database == "sqlite"


def test_a_temporary_folder_goes_with_its_configuration() -> None:
    config = Config.from_dict({})
    folder = config.data_dir
    assert folder.is_dir()
    del config
    gc.collect()
    assert not folder.exists()


def test_the_data_folder_is_its_owners_alone(tmp_path: Any) -> None:
    config = Config.from_dict({"data_dir": tmp_path / "a" / "b"})
    assert config.make_data_dir().stat().st_mode & 0o777 == 0o700
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"data_dir: cannot make .*: Not a directory"):
        Config.from_dict({"data_dir": tmp_path / "file" / "b"}).make_data_dir()


def test_values_do_not_change_once_read() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Config.from_dict({}).loglevel = "debug"


def test_each_limit_gives_its_reason() -> None:
    for name, field in Limits.model_fields.items():
        assert field.description, name
        assert field.metadata, f"{name} has no lower bound"


ALICE, BOB, EVE = JID.parse("alice@a.example/phone"), JID.parse("bob@a.example"), JID.parse("eve@elsewhere.example")


def test_who_is_let_in() -> None:
    config = Config.from_dict(
        {
            "hosts": ["a.example"],
            "acl": {
                "admin": {"user": ["Alice@a.example"]},
                "bobs": {"user": "bob"},
                "inside": {"ip": ["127.0.0.0/8", "::1"]},
                "friends": {"server": ["elsewhere.example"]},
            },
            "access_rules": {"c2s": [{"deny": "bobs"}, {"allow": "local"}], "both": {"deny": "bobs", "allow": "all"}},
        }
    )
    assert config.allows("admin", ALICE)
    assert not config.allows("admin", BOB)
    assert config.allows("bobs", BOB)
    assert not config.allows("bobs", JID.parse("bob@elsewhere.example")), "a name alone means our own users"
    assert config.allows("inside", BOB, "127.0.0.1")
    assert config.allows("inside", BOB, "::1")
    assert not config.allows("inside", BOB, "192.0.2.1")
    assert config.allows("friends", EVE)
    assert [config.allows("c2s", who) for who in (ALICE, BOB, EVE)] == [True, False, False]
    assert [config.allows("both", who) for who in (ALICE, BOB, EVE)] == [True, False, True]
    assert config.allows("all", EVE)
    assert not config.allows("none", ALICE)
    assert not config.allows("no such rule", ALICE)


def test_domains_of_an_acl_are_prepared() -> None:
    """One that never matches would let in whom it is to keep out."""
    config = Config.from_dict(
        {"acl": {"spam": {"server": "Elsewhere.EXAMPLE"}}, "access_rules": {"c2s": {"deny": "spam", "allow": "all"}}}
    )
    assert not config.allows("c2s", EVE)
    assert config.allows("c2s", BOB)
    with pytest.raises(ConfigError, match=r"^acl\.spam\.server: 'a b' is no domain"):
        Config.from_dict({"acl": {"spam": {"server": ["a b"]}}})


def test_who_has_no_address_comes_from_no_network() -> None:
    config = Config.from_dict({"acl": {"inside": {"ip": ["10.0.0.0/8", "fe80::/10"]}, "one": {"ip": "10.0.0.1"}}})
    assert not config.allows("inside", BOB, "")
    assert config.allows("inside", BOB, "10.255.0.1")
    assert config.allows("inside", BOB, "fe80::1%eth0")
    assert config.allows("one", BOB, "10.0.0.1")
    assert not config.allows("one", BOB, "10.0.0.2")
    for wrong in ("10.0.0.1/8", "here", [5.5], {"a": 1}):
        with pytest.raises(ConfigError, match=r"^acl\.inside\.ip: "):
            Config.from_dict({"acl": {"inside": {"ip": wrong}}})


def test_what_changes_live_and_what_needs_a_restart(tmp_path: Any) -> None:
    old: dict[str, Any] = {"data_dir": tmp_path, "modules": {"muc": {"max_users": 10}, "ping": {}}}
    new = {
        "data_dir": tmp_path,
        "hosts": ["a.example"],
        "loglevel": "debug",
        "limits": {"max_queue": 100000},
        "modules": {"muc": {"max_users": 20}, "last": {}},
        "listen": [],
    }
    live, restart = differences(Config.from_dict(old), Config.from_dict(new))
    assert live == ["limits.max_queue", "loglevel", "modules.last", "modules.muc.max_users", "modules.ping"]
    assert restart == ["hosts", "listen"]
    assert differences(Config.from_dict(old), Config.from_dict(old)) == ([], [])
