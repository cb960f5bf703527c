"""What the demo prints for people to type, typed."""

import itertools
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import xmppd

from . import certificates
from .drivers.base import Access
from .drivers.profanity import Profanity

pytestmark = pytest.mark.client


@dataclass(frozen=True)
class Advice:
    """The lines under one client's name."""

    commands: list[str]
    password: str


@pytest.fixture
def printed(tmp_path: Path) -> Iterator[str]:
    """What `xmppd demo` prints until it is ready; it runs until the test ends, on ports that are free."""
    settings = (Path(xmppd.__file__).parent / "cli" / "demo.yml").read_text()
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "demo.yml").write_text(re.sub(r"port: \d+", "port: 0", settings))
    environment = os.environ | {"PYTHONPATH": str(Path(xmppd.__file__).parents[1])}
    command = [sys.executable, "-m", "xmppd", "demo"]
    with (
        (tmp_path / "log").open("w") as log,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=tmp_path, env=environment
        ) as process,
    ):
        assert process.stdout is not None
        yield "".join(itertools.takewhile(lambda line: not line.startswith("ready"), process.stdout))
        process.terminate()


async def test_what_the_demo_says_to_type_into_profanity_works(printed: str, tmp_path: Path) -> None:
    advice = profanity_section(printed)
    connect, *rest = advice.commands
    bob, alice = client(tmp_path, "bob", advice.password), client(tmp_path, "alice", password_of("alice", printed))
    try:
        for person in (bob, alice):
            await person.starts()
            await person.connects(connect.replace("bob@", f"{person.access.user}@"), person.access.password)
            await person.is_logged_in()
        for command in rest:
            await bob.types(command)
        await alice.hears("bob@localhost", "hello")
    finally:
        await bob.closes()
        await alice.closes()


def profanity_section(printed: str) -> Advice:
    """The commands and the password in the part that begins with profanity's name."""
    section = re.split(r"^\S", printed.partition("\nprofanity")[2], maxsplit=1, flags=re.MULTILINE)[0]
    commands = [command.strip() for command in re.findall(r"/[a-z].*?(?=\s{2,}|$)", section, re.MULTILINE)]
    return Advice(commands, password_in(section))


def password_of(user: str, printed: str) -> str:
    """What stands after the account's address."""
    return password_in(printed.partition(f"{user}@localhost")[2])


def password_in(text: str) -> str:
    """The word after the first "password"."""
    found = re.search(r"[Pp]assword (\S+)", text)
    assert found is not None, text
    return found[1]


def client(folder: Path, user: str, password: str) -> Profanity:
    """profanity that trusts an authority which did not sign the demo's certificate."""
    if reason := Profanity.missing():
        pytest.skip(f"profanity is {reason}")
    place = folder / f"profanity-{user}"
    place.mkdir()
    return Profanity(Access(user, "localhost", password, 0, 0, certificates.make(place, "localhost").authority), place)
