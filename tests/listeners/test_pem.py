"""Keys and chains from files in any shape, and what is said of those that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from tests.listeners.authority import Authority, pem_key
from xmppd.listeners.pem import CertificateError, find_files, read_credentials


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


def refused(*paths: Path) -> str:
    """What is said of these files."""
    with pytest.raises(CertificateError) as caught:
        read_credentials(paths)
    return str(caught.value)


def test_globs_name_files_once_and_no_folders(tmp_path: Path) -> None:
    for name in ("b.pem", "a.pem", "a.txt"):
        (tmp_path / name).write_text("")
    (tmp_path / "folder.pem").mkdir()
    a, b, absent = (tmp_path / name for name in ("a.pem", "b.pem", "absent.pem"))
    assert find_files([str(b), str(tmp_path / "*.pem"), str(absent)]) == [b, a, absent]
    assert find_files([str(tmp_path / "none" / "*.pem")]) == []


def test_files_as_certbot_leaves_them(tmp_path: Path) -> None:
    root = Authority()
    issued = root.intermediate().issue("example.org")
    leaf, middle, _ = (
        each.public_bytes(Encoding.PEM) for each in [issued.certificate, *issued.issuers[:1], root.certificate]
    )
    contents = {"cert": leaf, "chain": middle, "fullchain": leaf + middle, "privkey": issued.key_pem}
    for name, content in contents.items():
        (tmp_path / f"{name}.pem").write_bytes(content)
    [credential] = read_credentials(find_files([f"{tmp_path}/*.pem"]))
    assert credential.chain == (issued.certificate, issued.issuers[0])
    assert (credential.certificate_file.name, credential.key_file.name) == ("cert.pem", "privkey.pem")


def test_two_hosts_in_four_files(tmp_path: Path, authority: Authority) -> None:
    both = [authority.issue("example.org"), authority.issue("example.net")]
    for number, issued in enumerate(both):
        (tmp_path / f"{number}-certificate").write_bytes(issued.chain_pem)
        (tmp_path / f"{9 - number}-key").write_bytes(issued.key_pem)
    found = read_credentials(find_files([f"{tmp_path}/*"]))
    assert [(each.certificate, each.key_file.name) for each in found] == [
        (both[0].certificate, "9-key"),
        (both[1].certificate, "8-key"),
    ]


def test_an_issuer_by_name_alone_is_none(tmp_path: Path, authority: Authority) -> None:
    impostor = Authority().intermediate()
    issued = authority.intermediate().issue("example.org")
    path = tmp_path / "1.pem"
    path.write_bytes(issued.key_pem + issued.certificate.public_bytes(Encoding.PEM) + impostor.pem().encode())
    assert read_credentials([path])[0].chain == (issued.certificate,)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    said = refused(tmp_path / "none.pem")
    assert said == f"{tmp_path}/none.pem cannot be read (No such file or directory): " + (
        "let the server's user read it, or correct `certfiles`"
    )


def test_neither_key_nor_certificate(tmp_path: Path) -> None:
    path = tmp_path / "README"
    path.write_text("Put your certificates here.")
    assert refused(path) == f"{path} holds neither a certificate nor a private key: take it out of `certfiles`"


def test_a_key_with_a_password(tmp_path: Path, authority: Authority) -> None:
    path = tmp_path / "1.pem"
    path.write_bytes(pem_key(ec.generate_private_key(ec.SECP256R1()), b"secret"))
    assert "has a password: take it off with `openssl pkey" in refused(path)


@pytest.mark.parametrize(("kind", "what"), [("PRIVATE KEY", "the private key"), ("CERTIFICATE", "a certificate")])
@pytest.mark.parametrize("body", ["", "AAAA", "not base64!"])
def test_a_broken_block(tmp_path: Path, kind: str, what: str, body: str) -> None:
    path = tmp_path / "1.pem"
    path.write_text(f"-----BEGIN {kind}-----\n{body}\n-----END {kind}-----\n")
    assert refused(path) == f"{what} in {path} is broken: fetch or make the file anew"


def test_a_file_cut_short(tmp_path: Path, authority: Authority) -> None:
    path = tmp_path / "1.pem"
    path.write_bytes(authority.issue("example.org").chain_pem[:200])
    assert "holds neither" in refused(path)


def test_two_keys_in_one_file(tmp_path: Path, authority: Authority) -> None:
    path = tmp_path / "1.pem"
    path.write_bytes(authority.issue("a").key_pem + authority.issue("b").key_pem)
    assert refused(path) == f"{path} holds 2 private keys: put each into a file of its own"


def test_a_key_without_its_certificate(tmp_path: Path, authority: Authority) -> None:
    path = tmp_path / "1.pem"
    path.write_bytes(authority.issue("a").key_pem + authority.issue("b").chain_pem)
    assert f"no certificate belongs to the private key in {path}: add" in refused(path)


def test_a_certificate_without_its_key(tmp_path: Path, authority: Authority) -> None:
    whole = authority.issue("example.org").write(tmp_path / "1.pem")
    path = tmp_path / "2.pem"
    path.write_bytes(authority.issue("example.net", common_name="example.net").chain_pem)
    assert f"no private key belongs to the certificate of CN=example.net in {path}: add" in refused(whole, path)
