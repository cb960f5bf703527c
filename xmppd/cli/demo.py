"""The demo: a server for localhost with two accounts, and what to type into clients."""

from __future__ import annotations

import importlib.resources
import os
import secrets
import sys
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm
from rich.console import Console

from xmppd.host import Host
from xmppd.server import Server
from xmppd.server_commands.checking import read

from . import vendor
from .serving import print_ready, serve

HOST: Final = "localhost"
USERS: Final = ("alice", "bob")

TEXT: Final = """
[bold]Accounts[/bold]   {accounts}
           kept in {passwords}; `{xmppctl} -c {config} change_password alice localhost ...` changes one

[bold]Pidgin[/bold]     Accounts > Manage Accounts > Add
             Basic:     Protocol XMPP, Username alice, Domain localhost, Resource pidgin,
                        Password {alice}
             Advanced:  Connection security "Require encryption", Connect port {port}, Connect server 127.0.0.1
           "Accept certificate for localhost?" comes up, as the certificate is signed by itself: View shows
             SHA-256 {sha256}
             SHA-1   {sha1}
           Accept. The same with bob in a second Pidgin (pidgin -m -c /tmp/bob), or in profanity:

[bold]profanity[/bold]  /connect bob@localhost server 127.0.0.1 port {port} tls trust
             Password {bob}
           /roster add alice@localhost     then     /sub request alice@localhost
           /msg alice@localhost hello

[bold]Browser[/bold]    {game}

[bold]Stop[/bold]       Ctrl-C. All is kept in {folder} for the next time; delete that folder to begin anew.
[bold]Look[/bold]       {xmppctl} -c {config} connected_users_info
"""


def show_demo() -> None:
    """Make what is missing in `demo/`, serve until Ctrl-C, and say how to connect."""
    folder = Path("demo")
    if not folder.is_dir():
        folder.mkdir(0o700)
    file = folder / "demo.yml"
    if not file.exists():
        file.write_text(importlib.resources.files(__package__).joinpath("demo.yml").read_text())

    link = folder / "game"
    if not link.exists():
        link.unlink(missing_ok=True)  # it may lead to where the game was once
        link.symlink_to(vendor.GAME)

    async def ready(server: Server) -> None:
        passwords = await make_accounts(server.hosts[HOST], folder / "passwords")
        Console(highlight=False, soft_wrap=True, emoji=False).print(_text(server, folder, passwords))
        await print_ready(server)

    serve(read(file), ready)


async def make_accounts(host: Host, file: Path) -> dict[str, str]:
    """The users' passwords; users who have no account, or whose password is in no file, get a new one."""
    passwords = _read(file)
    for user in USERS:
        exists = await host.accounts.exists(user)
        if user not in passwords:
            passwords[user] = secrets.token_urlsafe(9)
            if exists:
                await host.set_password(user, passwords[user])
        if not exists:
            await host.create_account(user, passwords[user])
    _write(file, passwords)
    return passwords


def _read(file: Path) -> dict[str, str]:
    try:
        lines = file.read_text().splitlines()
    except FileNotFoundError:
        return {}
    return {user: password for user, _, password in (line.partition(" ") for line in lines) if password}


def _write(file: Path, passwords: dict[str, str]) -> None:
    text = "".join(f"{user} {password}\n" for user, password in passwords.items())
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as kept:
        kept.write(text)


def _text(server: Server, folder: Path, passwords: dict[str, str]) -> str:
    return TEXT.format(
        accounts="   ".join(f"{user}@{HOST}  password {passwords[user]}" for user in USERS),
        passwords=folder / "passwords",
        config=folder / "demo.yml",
        folder=folder.absolute(),
        xmppctl=Path(sys.argv[0]).with_name("xmppctl"),
        port=server.doors[0].port,
        game=_game(server),
        sha1=_fingerprint(server, SHA1()),
        sha256=_fingerprint(server, SHA256()),
        **passwords,
    )


def _game(server: Server) -> str:
    """Where the game is, or what it takes."""
    if not vendor.FILE.exists():
        return "no game here: it takes npm (apt-get install npm), then `make run` again"
    address = f"http://localhost:{server.doors[2].port}/"
    return f"{address} is a game with a chat inside: come in as alice, and as bob in another window"


def _fingerprint(server: Server, hash: HashAlgorithm) -> str:
    assert server.shared is not None
    return server.shared.certificates.credential(HOST).certificate.fingerprint(hash).hex(":").upper()
