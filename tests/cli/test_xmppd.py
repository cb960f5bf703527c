"""The command `xmppd`, run as people run it."""

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from xmppd import __version__
from xmppd.cli.demo import show_demo
from xmppd.cli.xmppd import main
from xmppd.config import Config
from xmppd.testing import settings

PATIENCE = 30  # seconds for a process to come or go


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "xmppd.yml")


def write(file: Path, **changes: object) -> Path:
    file.write_text(yaml.safe_dump(settings(**({"data_dir": ".", "modules": {"ping": {}}} | changes))))
    return file


def invoke(*words: str) -> Result:
    return CliRunner().invoke(main, words)


@contextmanager
def running(*words: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """The process of `xmppd WORDS`, with its stdout; ended if it still runs."""
    command = [sys.executable, "-m", "xmppd", *words]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=folder)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def read_until(process: subprocess.Popen[str], words: str) -> str:
    assert process.stdout is not None
    text = ""
    for line in process.stdout:
        text += line
        if line.startswith(words):
            return text
    raise AssertionError(f"no line {words!r} in {text!r}")


def test_it_runs_until_it_is_told_to_stop(file: Path) -> None:
    with running("run", "-c", str(file), folder=file.parent) as process:
        assert read_until(process, "ready").startswith("ready: c2s 127.0.0.1:")
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    log = (file.parent / "log").read_text()
    assert "Traceback" not in log
    assert not (file.parent / "control.sock").exists()


def test_sighup_reads_the_configuration_again(file: Path) -> None:
    with running("run", "-c", str(file), folder=file.parent) as process:
        read_until(process, "ready")
        write(file, loglevel="info")
        process.send_signal(signal.SIGHUP)
        wait_for_log(file.parent / "log", "configuration: loglevel: changed")
        write(file, loglevel="loud")
        process.send_signal(signal.SIGHUP)
        wait_for_log(file.parent / "log", "the configuration stays as it was: loglevel: must be")
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0


def test_sighup_says_what_is_left_of_a_reload_that_failed(file: Path) -> None:
    (file.parent / "lab").mkdir()
    (file.parent / "lab" / "broken.py").write_text(
        "from xmppd.api import Module\n\n\n"
        "class Broken(Module):\n    async def start(self) -> None:\n        raise RuntimeError\n"
    )
    hosts = ["localhost", "b.example"]
    write(file, hosts=hosts)
    with running("run", "-c", str(file), folder=file.parent) as process:
        read_until(process, "ready")
        write(file, hosts=hosts, modules={"ping": {}, "muc": {"host": "rooms.example"}})
        process.send_signal(signal.SIGHUP)
        wait_for_log(file.parent / "log", "the configuration is in force in part only: modules.muc: ")
        write(file, hosts=hosts, modules={"ping": {}, "lab.broken": {}})
        process.send_signal(signal.SIGHUP)
        wait_for_log(file.parent / "log", "the configuration may be in force in part only; restart the server")
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0


def wait_for_log(log: Path, words: str) -> None:
    """Read the log as it grows."""
    with subprocess.Popen(["tail", "-f", "-n", "+1", str(log)], stdout=subprocess.PIPE) as tail:
        assert tail.stdout is not None
        for line in tail.stdout:
            if words in line.decode():
                tail.kill()
                return


def test_systemd_is_told_when_it_is_ready(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = file.parent / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
        notices.bind(str(path))
        notices.settimeout(PATIENCE)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        with running("run", "-c", str(file), folder=file.parent) as process:
            assert notices.recv(100) == b"READY=1"
            process.send_signal(signal.SIGTERM)
            assert notices.recv(100) == b"STOPPING=1"
            assert process.wait(PATIENCE) == 0


def test_a_port_in_use_is_named(file: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        write(file, listen=[{"ip": "127.0.0.1", "port": port, "module": "c2s"}])
        result = subprocess.run(
            [sys.executable, "-m", "xmppd", "run", "-c", str(file)], capture_output=True, text=True, timeout=PATIENCE
        )
    assert result.returncode == 1
    assert f"cannot listen on 127.0.0.1 port {port}" in result.stderr
    assert "stop what listens there, or choose another port" in result.stderr
    assert "Traceback" not in result.stderr


def test_check(file: Path) -> None:
    assert invoke("check", "-c", str(file)).output == f"{file} is right: 1 hosts, 1 doors, 1 modules\n"
    write(file, modules={"pong": {}, "offline": {"expire_day": 1}}, limits={"max_que": 1})
    wrong = invoke("check", "-c", str(file))
    assert wrong.exit_code == 1
    assert f'error: {file}:\n  limits.max_que: unknown option (did you mean "max_queue"?)\n' in wrong.output
    write(file, modules={"pong": {}, "offline": {"expire_day": 1}})
    wrong = invoke("check", "-c", str(file))
    assert '  modules.pong: there is no such module (did you mean "ping"?)\n' in wrong.output
    assert '  modules.offline.expire_day: unknown option (did you mean "expire_days"?)\n' in wrong.output
    write(file, listen=[{"port": 0}, {"port": 0, "module": "s2s"}])
    wrong = invoke("check", "-c", str(file))
    assert "  listen[1].module: s2s is not in this version; remove the entry\n" in wrong.output
    write(file, certfiles=[str(file)])
    wrong = invoke("check", "-c", str(file))
    assert f"{file} holds neither a certificate nor a private key" in wrong.output


def test_a_file_with_a_mistake_of_yaml(file: Path) -> None:
    file.write_text("hosts: [a\n")
    assert invoke("check", "-c", str(file)).output.startswith(f"error: {file}:2:1: ")


def test_version() -> None:
    assert invoke("version").output == f"xmppd {__version__}\n"


def test_modules_are_listed_with_all_they_declare() -> None:
    assert "XEP-0199: XMPP Ping." in invoke("modules").output
    told = invoke("modules", "offline").output
    assert "max_user_messages: 1000  # Messages of one account" in told
    assert "delete_old_messages DAYS  # Delete stored messages" in told
    (as_json,) = json.loads(invoke("modules", "--json", "ping").output)
    assert as_json["xeps"] == {"0199": "2.0.1"}
    markdown = invoke("modules", "--markdown").output
    assert "## offline\n" in markdown
    assert "| `expire_days` | `0` | Delete what is older; 0 keeps it until it is fetched |" in markdown
    assert 'there is no such module (did you mean "ping"?)' in invoke("modules", "pin").output


def test_completion() -> None:
    assert "_XMPPD_COMPLETE" in invoke("completion", "bash").output


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """A folder where the demo has run before, as it came but for its ports."""
    folder = tmp_path / "demo"
    folder.mkdir(0o700)
    text = (Path(__file__).parents[2] / "conf" / "demo.yml").read_text()
    (folder / "demo.yml").write_text(re.sub(r"port: \d+", "port: 0", text))
    return folder


def test_the_demo_says_how_to_connect_and_keeps_its_accounts(demo: Path) -> None:
    with running("demo", folder=demo.parent) as process:
        said = read_until(process, "ready")
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
    passwords = dict(line.split() for line in (demo / "passwords").read_text().splitlines())
    assert set(passwords) == {"alice", "bob"}
    assert (demo / "passwords").stat().st_mode & 0o777 == 0o600
    port = said.partition("ready: c2s 127.0.0.1:")[2].split()[0]
    assert f"/connect bob@localhost server 127.0.0.1 port {port} tls trust" in said
    assert "Protocol XMPP, Username alice, Domain localhost" in said
    assert passwords["alice"] in said
    with running("demo", folder=demo.parent) as process:
        assert passwords["bob"] in read_until(process, "ready")
        words = ["check_password", "alice", "localhost", passwords["alice"]]
        xmppctl = [str(Path(sys.executable).with_name("xmppctl")), "-c", str(demo / "demo.yml"), *words]
        assert subprocess.run(xmppctl, timeout=PATIENCE).returncode == 0


def test_the_first_demo_makes_its_folder_for_its_owner_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    served: list[Config] = []
    monkeypatch.setattr("xmppd.cli.demo.serve", lambda config, ready: served.append(config))
    show_demo()
    assert (tmp_path / "demo").stat().st_mode & 0o777 == 0o700
    assert served[0].data_dir == tmp_path / "demo"
