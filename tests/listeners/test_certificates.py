"""Which certificate a client is shown, and what changes when the files do."""

from __future__ import annotations

import os
import ssl
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from tests.listeners.authority import NOW, Authority, Issued
from tests.listeners.serving import Serving, seen, shown
from tests.listeners.tls_client import TLS12, TLS13, TLSClient, trusting_context
from xmppd.listeners.certificates import CertificateError, Certificates, certificate_jids

VERSIONS = pytest.mark.parametrize("version", [TLS12, TLS13], ids=["1.2", "1.3"])


@pytest.fixture
def serve(tmp_path: Path) -> Serving:
    return Serving(tmp_path)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


class TestFromFiles:
    @VERSIONS
    def test_each_host_shows_its_own(self, serve: Serving, authority: Authority, version: ssl.TLSVersion) -> None:
        issued = {host: authority.issue(host) for host in ("example.org", "example.net")}
        for host, one in issued.items():
            one.write(serve.certs / f"{host}.pem")
        certificates = serve(*issued)
        client = trusting_context(version)
        for host, one in issued.items():
            assert seen(shown(certificates, host, context=client)) == one.der
        assert seen(shown(certificates, "EXAMPLE.NET", context=client)) == issued["example.net"].der
        assert certificates.self_made == []

    def test_the_first_host_serves_who_names_none_or_a_strange_one(self, serve: Serving, authority: Authority) -> None:
        first = authority.issue("example.org")
        first.write(serve.certs / "1.pem")
        authority.issue("example.net").write(serve.certs / "2.pem")
        certificates = serve("example.org", "example.net")
        assert seen(shown(certificates, None)) == first.der
        assert seen(shown(certificates, "elsewhere.example")) == first.der

    def test_the_stream_names_the_host_where_sni_does_not(self, serve: Serving, authority: Authority) -> None:
        first, second = authority.issue("example.org"), authority.issue("example.net")
        first.write(serve.certs / "1.pem")
        second.write(serve.certs / "2.pem")
        certificates = serve("example.org", "example.net")
        assert seen(shown(certificates, None, host="example.net")) == second.der
        assert seen(shown(certificates, "elsewhere.example", host="example.net")) == second.der
        assert seen(shown(certificates, "example.org", host="example.net")) == first.der

    def test_a_wildcard_covers_one_label(self, serve: Serving, authority: Authority) -> None:
        wild, exact = authority.issue("*.example.org"), authority.issue("a.example.org")
        wild.write(serve.certs / "wild.pem")
        exact.write(serve.certs / "exact.pem")
        certificates = serve("a.example.org", "b.example.org", "c.b.example.org", "example.org")
        assert certificates.credential("a.example.org").certificate == exact.certificate
        assert certificates.credential("b.example.org").certificate == wild.certificate
        assert [path.name for path in certificates.self_made] == ["c.b.example.org.pem", "example.org.pem"]

    def test_an_international_name(self, serve: Serving, authority: Authority) -> None:
        issued = authority.issue("xn--bcher-kva.example")
        issued.write(serve.certs / "1.pem")
        assert seen(shown(serve("localhost", "bücher.example"), "bücher.example")) == issued.der

    def test_who_knows_the_root_only_is_given_the_chain(self, serve: Serving) -> None:
        root = Authority()
        issued = root.intermediate().issue("example.org", begins=NOW - timedelta(days=3650))
        backwards = b"".join(each.public_bytes(Encoding.PEM) for each in reversed(issued.issuers))
        (serve.certs / "backwards.pem").write_bytes(backwards + issued.chain_pem + issued.key_pem)
        strict = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        strict.load_verify_locations(cadata=root.pem())
        assert seen(shown(serve("example.org"), "example.org", context=strict)) == issued.der

    def test_of_two_the_faster_then_the_longer(self, serve: Serving, authority: Authority) -> None:
        slow = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        authority.issue("example.org", key=slow, expires=NOW + timedelta(days=300)).write(serve.certs / "rsa.pem")
        authority.issue("example.org", expires=NOW + timedelta(days=30)).write(serve.certs / "ec30.pem")
        best = authority.issue("example.org", expires=NOW + timedelta(days=60))
        best.write(serve.certs / "ec60.pem")
        authority.issue("example.org", expires=NOW - timedelta(days=1)).write(serve.certs / "outdated.pem")
        assert serve("example.org").credential("example.org").certificate == best.certificate

    @pytest.mark.parametrize("days", [(-90, -1), (1, 90)], ids=["outdated", "not yet valid"])
    def test_out_of_its_time(self, serve: Serving, authority: Authority, days: tuple[int, int]) -> None:
        begins, expires = (NOW + timedelta(days=day) for day in days)
        path = authority.issue("example.org", begins=begins, expires=expires).write(serve.certs / "1.pem")
        with pytest.raises(CertificateError, match=rf"for example\.org in {path} is valid from .*: renew it"):
            serve("example.org")


class TestTerms:
    @VERSIONS
    def test_a_name_that_is_not_ascii_is_served_in_silence(self, serve: Serving, version: ssl.TLSVersion) -> None:
        certificates = serve("localhost")
        engine = certificates.engine()
        hello = TLSClient(engine, trusting_context(version), "example.org").step()
        engine.receive(hello.replace(b"example.org", b"\xff\xfe\xc3\x80....org"))
        assert engine.outgoing()

    def test_only_tls_1_2_and_1_3_with_good_ciphers(self, serve: Serving) -> None:
        context = serve("localhost").engine().ssl_object.context
        assert context.minimum_version == TLS12
        names = {cipher["name"] for cipher in context.get_ciphers()}
        assert all(name.startswith(("TLS_", "ECDHE-")) and "CBC" not in name for name in names)
        assert not any(name.endswith(("-SHA", "-SHA256", "-SHA384")) and "GCM" not in name for name in names)

    def test_direct_tls_agrees_on_alpn(self, serve: Serving) -> None:
        certificates = serve("localhost")
        for offered, agreed in {("h2", "xmpp-client"): "xmpp-client", ("h2",): None, (): None}.items():
            engine = certificates.engine(["xmpp-client"])
            client = TLSClient(engine, trusting_context(TLS13, offered), "localhost").shake_hands()
            assert (engine.established, client.tls.selected_alpn_protocol()) == (True, agreed)

    def test_the_binding_is_that_of_the_certificate_shown(self, serve: Serving) -> None:
        certificates = serve("localhost", "example.org")
        for host in ("localhost", "example.org"):
            client = shown(certificates, host)
            der = seen(client)
            assert der
            assert certificates.endpoint_binding(client.engine.ssl_object) == sha256(der).digest()
        assert certificates.endpoint_binding(certificates.engine().ssl_object) == b""


class TestClientCertificates:
    @pytest.fixture
    def certificates(self, serve: Serving, authority: Authority, tmp_path: Path) -> Certificates:
        path = tmp_path / "authority.pem"
        path.write_text(authority.pem())
        return serve("localhost", "example.org", client_ca=path)

    def client(self, issued: Issued | None, tmp_path: Path, version: ssl.TLSVersion) -> ssl.SSLContext:
        context = trusting_context(version)
        if issued:
            context.load_cert_chain(issued.write(tmp_path / "client.pem"))
        return context

    @VERSIONS
    def test_who_has_one_is_known(
        self, certificates: Certificates, authority: Authority, tmp_path: Path, version: ssl.TLSVersion
    ) -> None:
        issued = authority.issue(jids=("alice@example.org", "alice@example.net"), begins=NOW - timedelta(days=3650))
        context = self.client(issued, tmp_path, version)
        first = shown(certificates, "example.org", context=context)
        again = shown(certificates, "example.org", context=context, session=first.session())
        for engine in (first.engine, again.engine):
            assert engine.peer_certificate == issued.der
            assert certificate_jids(issued.der) == ("alice@example.org", "alice@example.net")
        assert again.tls.session_reused

    @VERSIONS
    def test_who_has_none_is_served(self, certificates: Certificates, tmp_path: Path, version: ssl.TLSVersion) -> None:
        engine = shown(certificates, None, context=self.client(None, tmp_path, version)).engine
        assert (engine.established, engine.peer_certificate) == (True, None)

    @VERSIONS
    def test_who_has_a_strangers_is_refused(
        self, certificates: Certificates, tmp_path: Path, version: ssl.TLSVersion
    ) -> None:
        issued = Authority("Elsewhere").issue(jids=("alice@example.org",), begins=NOW - timedelta(days=3650))
        with pytest.raises(ssl.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
            shown(certificates, "example.org", context=self.client(issued, tmp_path, version))

    def test_authorities_that_cannot_be_read(self, serve: Serving, tmp_path: Path) -> None:
        with pytest.raises(CertificateError, match=r"none\.pem .*: it must be a PEM file"):
            serve("localhost", client_ca=tmp_path / "none.pem")


class TestTickets:
    @VERSIONS
    def test_they_resume_at_each_host(self, serve: Serving, authority: Authority, version: ssl.TLSVersion) -> None:
        issued = authority.issue("example.net")
        issued.write(serve.certs / "1.pem")
        certificates, ours = serve("localhost", "example.net"), trusting_context(version)
        for host in ("localhost", "example.net"):
            first = shown(certificates, host, context=ours)
            again = shown(certificates, host, context=ours, session=first.session())
            assert (first.tls.session_reused, again.tls.session_reused) == (False, True)
            bindings = {certificates.endpoint_binding(each.engine.ssl_object) for each in (first, again)}
            assert len(bindings) == 1

    @VERSIONS
    def test_they_outlive_a_refresh_that_changes_nothing(self, serve: Serving, version: ssl.TLSVersion) -> None:
        certificates, ours = serve("localhost"), trusting_context(version)
        session = shown(certificates, "localhost", context=ours).session()
        Authority().issue("localhost", expires=NOW - timedelta(days=1)).write(serve.certs / "of-no-use.pem")
        with pytest.raises(CertificateError):
            certificates.refresh()
        (serve.certs / "of-no-use.pem").unlink()
        assert certificates.refresh() == []
        assert shown(certificates, "localhost", context=ours, session=session).tls.session_reused

    @VERSIONS
    def test_they_die_with_the_certificate(self, serve: Serving, authority: Authority, version: ssl.TLSVersion) -> None:
        certificates, ours = serve("localhost"), trusting_context(version)
        session = shown(certificates, "localhost", context=ours).session()
        issued = authority.issue("localhost")
        issued.write(serve.certs / "1.pem")
        assert certificates.refresh()
        client = shown(certificates, "localhost", context=ours, session=session)
        assert (client.tls.session_reused, seen(client)) == (False, issued.der)

    def test_their_key_lives_a_day(self, serve: Serving) -> None:
        certificates, ours = serve("localhost"), trusting_context()
        session = shown(certificates, "localhost", context=ours).session()
        serve.now += timedelta(days=1)
        assert certificates.refresh() == []
        assert not shown(certificates, "localhost", context=ours, session=session).tls.session_reused


class TestRefresh:
    def test_a_session_goes_on_and_the_next_client_sees_the_new_one(self, serve: Serving, authority: Authority) -> None:
        path = authority.issue("example.org").write(serve.certs / "1.pem")
        certificates = serve("example.org", "localhost")
        client = shown(certificates, "example.org")
        binding = certificates.endpoint_binding(client.engine.ssl_object)
        new = authority.issue("example.org", expires=NOW + timedelta(days=60))
        new.write(path)
        assert certificates.refresh() == [f"example.org has the certificate from {path}, valid until 2030-03-02"]
        assert certificates.refresh() == []
        assert client.engine.receive(client.seal(b"<presence/>")) == b"<presence/>"
        assert certificates.endpoint_binding(client.engine.ssl_object) == binding
        assert seen(shown(certificates, "example.org")) == new.der

    def test_a_handshake_in_the_middle_goes_on(self, serve: Serving, authority: Authority) -> None:
        certificates = serve("example.org")
        client = TLSClient(certificates.engine(), trusting_context(), "example.org")
        client.engine.receive(client.step())
        authority.issue("example.org").write(serve.certs / "1.pem")
        assert certificates.refresh()
        client.hear(client.engine.outgoing())
        assert client.shake_hands().engine.established

    def test_a_file_that_goes_leaves_a_self_made_one(self, serve: Serving, authority: Authority) -> None:
        path = authority.issue("example.org").write(serve.certs / "1.pem")
        certificates = serve("example.org")
        path.unlink()
        assert certificates.refresh() == [
            f"example.org has the certificate from {certificates.self_made[0]}, valid until 2034-12-31"
        ]

    def test_a_broken_file_is_told_once_and_changes_nothing(self, serve: Serving, authority: Authority) -> None:
        issued = authority.issue("example.org")
        path = issued.write(serve.certs / "1.pem")
        certificates = serve("example.org")
        path.write_bytes(issued.key_pem + authority.issue("example.org").chain_pem)
        with pytest.raises(CertificateError, match=r"1\.pem"):
            certificates.refresh()
        assert certificates.refresh() == []
        assert seen(shown(certificates, "example.org")) == issued.der
        issued.write(path)
        os.utime(path, ns=(1, 1))
        assert certificates.refresh() == []

    def test_a_self_made_one_is_renewed_with_its_key(self, serve: Serving) -> None:
        certificates = serve("localhost")
        before = certificates.credential("localhost")
        serve.now = before.expires - timedelta(days=29)
        assert len(certificates.refresh()) == 1
        after = certificates.credential("localhost")
        assert after.expires > before.expires
        assert after.certificate.public_key() == before.certificate.public_key()
        assert certificates.refresh() == []


def test_tls_1_2_can_be_switched_off(tmp_path: Path) -> None:
    certificates = Certificates(["localhost"], [], tmp_path, oldest=ssl.TLSVersion.TLSv1_3)
    assert certificates.engine().ssl_object.context.minimum_version is ssl.TLSVersion.TLSv1_3
