"""Certificates that the server makes for itself."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from stat import S_IMODE

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.listeners.authority import NOW
from xmppd.listeners.identity import host_names
from xmppd.listeners.pem import CertificateError
from xmppd.listeners.selfsigned import RENEW_BEFORE, self_signed


def test_it_is_made_once_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "certificates"
    made = self_signed("example.org", folder, NOW)
    assert made.certificate_file == folder / "example.org.pem"
    assert [path.name for path in folder.iterdir()] == ["example.org.pem"]
    assert (S_IMODE(folder.stat().st_mode), S_IMODE(made.key_file.stat().st_mode)) == (0o700, 0o600)
    assert self_signed("example.org", folder, NOW + timedelta(days=1000)) == made


def test_it_names_its_host_in_each_way(tmp_path: Path) -> None:
    certificate = self_signed("bücher.example", tmp_path, NOW).certificate
    assert host_names(certificate) == {"xn--bcher-kva.example", "*.xn--bcher-kva.example"}
    assert isinstance(key := certificate.public_key(), ec.EllipticCurvePublicKey)
    assert key.curve.name == "secp256r1"


def test_it_is_made_anew_with_its_key_before_it_ends(tmp_path: Path) -> None:
    old = self_signed("localhost", tmp_path, NOW)
    assert self_signed("localhost", tmp_path, old.expires - RENEW_BEFORE) == old
    new = self_signed("localhost", tmp_path, old.expires - RENEW_BEFORE + timedelta(seconds=1))
    assert new.expires > old.expires
    assert new.certificate.public_key() == old.certificate.public_key()
    assert S_IMODE(new.key_file.stat().st_mode) == 0o600


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_a_host_that_is_an_address(tmp_path: Path, host: str) -> None:
    assert host_names(self_signed(host, tmp_path, NOW).certificate) == {host.strip("[]")}


def test_a_long_name(tmp_path: Path) -> None:
    host = ".".join(["a" * 60] * 4)
    assert host in host_names(self_signed(host, tmp_path, NOW).certificate)


def test_a_name_stays_in_its_folder(tmp_path: Path) -> None:
    made = self_signed("../elsewhere", tmp_path / "certificates", NOW)
    assert made.certificate_file.parent == tmp_path / "certificates"


def test_a_broken_file_may_be_deleted(tmp_path: Path) -> None:
    (tmp_path / "localhost.pem").write_text("noise")
    with pytest.raises(CertificateError, match="made this file itself: delete it"):
        self_signed("localhost", tmp_path, NOW)


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(CertificateError, match="let the server's user own `data_dir`"):
        self_signed("localhost", tmp_path / "data" / "certificates", NOW)


def test_a_host_that_is_no_dns_name(tmp_path: Path) -> None:
    with pytest.raises(CertificateError, match="correct it in `hosts`"):
        self_signed("bücher..example", tmp_path, NOW)
