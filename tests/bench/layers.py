"""A client's stream in layers: TLS and compression put on one by one, and the bytes counted beneath each."""

import contextlib
import socket
import ssl
import zlib
from typing import Any, Protocol

import zstandard

from tests.bench.accounts import HOST
from tests.bench.web import BoshWire
from tests.bench.wire import Wire

_CHUNK = 65536
_COMPRESS = "http://jabber.org/protocol/compress"
WINDOW_LOG = 17  # the largest window of a client that our server takes


class Codec(Protocol):
    """One method of XEP-0138."""

    def encode(self, data: bytes) -> bytes: ...
    def decode(self, data: bytes) -> bytes: ...


class Zlib:
    def __init__(self) -> None:
        self._deflate, self._inflate = zlib.compressobj(), zlib.decompressobj()

    def encode(self, data: bytes) -> bytes:
        return self._deflate.compress(data) + self._deflate.flush(zlib.Z_PARTIAL_FLUSH)

    def decode(self, data: bytes) -> bytes:
        return self._inflate.decompress(data)


class Zstd:
    def __init__(self) -> None:
        window = zstandard.ZstdCompressionParameters.from_level(3, window_log=WINDOW_LOG)
        self._encoder = zstandard.ZstdCompressor(compression_params=window).compressobj()
        self._decoder = zstandard.ZstdDecompressor().decompressobj(read_across_frames=True)

    def encode(self, data: bytes) -> bytes:
        return self._encoder.compress(data) + self._encoder.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)

    def decode(self, data: bytes) -> bytes:
        return self._decoder.decompress(data)


CODECS: dict[str, type[Codec]] = {"zlib": Zlib, "zstd": Zstd}


class Line:
    """In a socket's place. `packed` counts what came in on the socket, `received` what TLS made of it."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._codec: Codec | None = None
        self._tls: ssl.SSLObject | None = None
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.packed = self.received = 0

    def secure(self, context: ssl.SSLContext) -> None:
        """TLS from here on."""
        self._tls = context.wrap_bio(self._in, self._out, server_hostname=HOST)
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                self._fill()
            else:
                return self._flush()

    def compress(self, method: str) -> None:
        """Compression from here on."""
        self._codec = CODECS[method]()

    def sendall(self, data: bytes) -> None:
        if self._codec is not None:
            data = self._codec.encode(data)
        if self._tls is None:
            self._sock.sendall(data)
        else:
            self._tls.write(data)
            self._flush()

    def recv(self, size: int) -> bytes:
        """What the topmost layer has, at least a byte of it."""
        while data := self._read():
            self.received += len(data)
            if self._codec is None:
                return data
            if plain := self._codec.decode(data):
                return plain
        return b""

    def close(self) -> None:
        self._sock.close()

    def setsockopt(self, *option: Any) -> None:
        self._sock.setsockopt(*option)

    def _read(self) -> bytes:
        if self._tls is None:
            data = self._sock.recv(_CHUNK)
            self.packed += len(data)
            return data
        while True:
            with contextlib.suppress(ssl.SSLWantReadError):
                return self._tls.read(_CHUNK)
            if not self._fill():
                return b""

    def _fill(self) -> int:
        data = self._sock.recv(_CHUNK)
        self.packed += len(data)
        self._in.write(data)
        return len(data)

    def _flush(self) -> None:
        if data := self._out.read():
            self._sock.sendall(data)


class SecureBosh(BoshWire):
    """BOSH over https, its bytes counted."""

    def __init__(self, port: int) -> None:
        self._lines: list[Line] = []
        super().__init__(port, "/http-bind", self._secured)

    def _secured(self, sock: socket.socket) -> Line:
        line = Line(sock)
        line.secure(_trusting())
        self._lines.append(line)
        return line

    @property
    def counted(self) -> tuple[int, int]:
        """Bytes that came in: of HTTP, and of TLS."""
        return sum(line.received for line in self._lines), sum(line.packed for line in self._lines)

    def end(self) -> None:
        """Leave the session to its end: who counts is done."""


class LayeredWire(Wire):
    """A wire whose bytes are counted, with compression where `method` names one."""

    def __init__(self, port: int, method: str = "") -> None:
        super().__init__(port)
        self.line = Line(self.sock)
        self.sock = self.line  # type: ignore[assignment]
        self._method = method

    def _starttls(self) -> None:
        self.send(b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        self.expect(b"<proceed")
        self.line.secure(_trusting())
        self._open()

    @property
    def counted(self) -> tuple[int, int]:
        """Bytes that came in: of the stream, and of TLS."""
        return self.line.received, self.line.packed

    def _scram(self, name: str) -> None:
        super()._scram(name)
        if self._method:
            self._open()
            self.send(f"<compress xmlns='{_COMPRESS}'><method>{self._method}</method></compress>".encode())
            self.expect(b"<compressed")
            self.line.compress(self._method)


def _trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
