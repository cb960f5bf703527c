"""The configuration file: what it means, and what is said about each mistake."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from xmppd.api import ModuleOptions
from xmppd.config import ConfigError, explain, load
from xmppd.extensions.bus.options import RoomOptions

GOOD = """
hosts: [Example.org, b.example]
data_dir: data
certfiles: certs/*.pem
database: file:dsn
listen:
  - {port: 5222, module: c2s, shaper: normal, access: c2s}
  - {port: 5223, module: c2s, tls: true, ip: 127.0.0.1}
  - {port: 5347, module: component, hosts: {bus.example.org: {password: $BUS_SECRET}}}
tls_min_version: 1.3
acl: {admin: {user: admin@example.org}, blocked: {user: [mallory], ip: 10.0.0.0/8}}
access_rules: {c2s: {deny: blocked, allow: all}}
shaper: {normal: {rate: 65536, burst: 131072}}
modules:
  roster:
  muc: {host: conference.@HOST@, max_users: 1000}
host_config:
  b.example: {auth: {scram_iterations: 10000}, modules: {ping: {}}, without: [muc]}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "xmppd.yml"


def problems(file: Path, text: str) -> list[str]:
    file.write_text(text)
    with pytest.raises(ConfigError) as error:
        load(file)
    return error.value.problems


def test_a_whole_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUS_SECRET", "pssst")
    file.write_text(GOOD)
    file.with_name("dsn").write_text("postgresql://xmppd@db/xmppd\n")
    config = load(file)
    assert config.hosts == ("example.org", "b.example")
    assert config.data_dir == file.parent / "data"
    assert not config.data_dir.exists(), "reading creates nothing"
    assert config.certfiles == (f"{file.parent}/certs/*.pem",)
    assert config.database == "postgresql://xmppd@db/xmppd"
    assert [door.address for door in config.listen] == [None, "127.0.0.1", None]
    assert [door.starttls for door in config.listen[:2]] == ["required", "none"]
    assert config.listen[2].hosts["bus.example.org"].password == "pssst"  # noqa: S105
    assert "pssst" not in repr(config)
    assert "db" not in repr(config)


def test_a_host_has_its_overrides_and_its_name_filled_in(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUS_SECRET", "pssst")
    file.write_text(GOOD.replace("file:dsn", "sqlite"))
    config = load(file)
    first, second = config.of_host("example.org"), config.of_host("b.example")
    assert first.modules == {"roster": {}, "muc": {"host": "conference.example.org", "max_users": 1000}}
    assert second.modules == {"roster": {}, "ping": {}}
    assert (first.auth.scram_iterations, second.auth.scram_iterations) == (4096, 10000)
    assert second.auth.mechanisms == first.auth.mechanisms


def test_every_mistake_is_listed_with_its_path(file: Path) -> None:
    text = """
hosts: [example.org]
data_dir: d
listen:
  - {port: 5222, starttls: requird}
  - {port: 5223, tls: true, acess: x}
  - {port: 99999, ip: localhost}
loglevel: inf
limits: {max_stanza_sze: 3}
auth: {mechanisms: [SCRAM-SHA-257]}
acl: {admin: {usr: x}, odd: {user: "a@b@c"}}
database: $NO_SUCH_VARIABLE
shaper: {a: 5}
modules: [roster]
modles: {}
"""
    found = problems(file, text)
    expected = [
        "database: the environment has no variable NO_SUCH_VARIABLE",
        """loglevel: must be 'debug', 'info', 'warning', 'error' or 'critical', not 'inf' (did you mean "info"?)""",
        """listen[0].starttls: must be 'required', 'optional' or 'none', not 'requird' (did you mean "required"?)""",
        """listen[1].acess: unknown option (did you mean "access"?)""",
        "listen[2].port: must be less than or equal to 65535, not 99999",
        "listen[2].ip: 'localhost' is no IP address; for this machine alone write 127.0.0.1",
        "auth.mechanisms[0]: must be 'SCRAM-SHA-512-PLUS'",
        """acl.admin.usr: unknown option (did you mean "user"?)""",
        "acl.odd.user: 'a@b@c' is neither user nor user@host",
        "shaper.a: must be a mapping of options",
        """limits.max_stanza_sze: unknown option (did you mean "max_stanza_size"?)""",
        "modules: must be a mapping",
        """modles: unknown option (did you mean "modules"?)""",
    ]
    for line in expected:
        assert any(problem.startswith(line) for problem in found), (line, found)
    assert len(found) == len(expected), found


def test_no_mistake_quotes_a_secret(file: Path) -> None:
    text = """
hosts: [example.org]
data_dir: d
listen:
  - {port: 1, module: component, hosts: {a.example: {password: 12345678}}}
  - {port: 2, module: component, hosts: {a.example: 12345678}}
  - {port: 3, module: component, hosts: {a.example: pssst}}
  - {port: 4, module: component, hosts: [a.example, pssst]}
  - {port: 5, module: component, hosts: {a.example: {password: [pssst]}}}
  - pssst
database: {password: pssst}
"""
    found = problems(file, text)
    assert "12345678" not in str(found)
    assert "pssst" not in str(found)
    assert "listen[0].hosts.a.example.password: must be a valid string; put it between quotes" in found
    assert "listen[3].hosts: must be a mapping, {name: value}" in found
    assert len(found) == 7
    told = explain_options(RoomOptions, {"tokens": {"pssst": 1}, "members": 5})
    assert told == ["members: must be a list, [a, b], not 5", "tokens: must be a list, [a, b]"]


def explain_options(kind: type[ModuleOptions], values: object) -> list[str]:
    """What a loader tells of a module's options."""
    with pytest.raises(ValidationError) as caught:
        kind.model_validate(values)
    return explain(caught.value, kind)


def test_names_that_lead_nowhere(file: Path) -> None:
    found = problems(
        file,
        """
hosts: [example.org]
data_dir: d
listen: [{port: 5222, access: c2s, shaper: fast}]
access_rules: {admins: {allow: admin}}
host_config: {exmple.org: {}}
""",
    )
    assert found == [
        "host_config.exmple.org: there is no host 'exmple.org' (did you mean \"example.org\"?)",
        "listen[0].access: there is no acl 'c2s'",
        "listen[0].shaper: there is no shaper 'fast'",
        "access_rules.admins: there is no acl 'admin' (did you mean \"admins\"?)",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hosts: [a.example]", "data_dir: is missing"),
        ("hosts: []\ndata_dir: d\nlisten: []", "hosts: must name at least one"),
        ("hosts: [a.example, A.example]\ndata_dir: d\nlisten: []", "hosts: a.example is named twice"),
        ("hosts: [me@a.example]\ndata_dir: d\nlisten: []", "write a.example"),
        ("hosts: [a b]\ndata_dir: d\nlisten: []", "hosts: 'a b' is no domain"),
        ("hosts: [a]\nlisten: []\nhosts: [b]", ":3:1: 'hosts' stands here twice"),
        ("hosts: [a\nlisten: []", ":2:7: "),
        ("- hosts", "must be a mapping of options"),
        ("hosts: [a]\ndata_dir: d\nlisten: []\ndatabase: mysql", "database: must be sqlite or postgresql://"),
        ("hosts: [a]\ndata_dir: d\nlisten: []\ndatabase: file:none", "database: cannot read the secret from "),
        (
            "hosts: [a]\ndata_dir: d\nlisten: [{port: 1, module: http, see_other_uri: chat2.example}]",
            "listen[0].see_other_uri: 'chat2.example' is no address of a web door; write wss://... or https://...",
        ),
        (
            "hosts: [a]\ndata_dir: d\nlisten: [{port: 1, tls: true, starttls: optional}]",
            "listen[0]: a door has tls: true or starttls, not both",
        ),
        (
            "hosts: [a]\ndata_dir: d\nlisten: [{port: 1, request_handlers: {/bosh: bosh}}]",
            "listen[0]: request_handlers belongs to module: http, not c2s",
        ),
        (
            "hosts: [a]\ndata_dir: d\nlisten: []\nlimits: {idle_timeout: 5}",
            "limits: idle_timeout (5) must be longer than ping_interval (240)",
        ),
    ],
)
def test_what_is_wrong_is_said(file: Path, text: str, expected: str) -> None:
    assert expected in "\n".join(problems(file, text))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file or directory; name another file with -c"):
        load(tmp_path / "none.yml")
