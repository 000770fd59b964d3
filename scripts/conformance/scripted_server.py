"""A real HTTP server on loopback that responds as a scenario says: correctly, wrongly, slowly, endlessly, or not at
all.

It writes raw bytes, since much of what a feed reader meets no server library would send. A client reaches it through
`routed_socket`: names resolve to a public address, every check of the client's is passed as in earnest, and only the
last step, the connection itself, is led to loopback.
"""

import asyncio
import datetime
import gzip
import ipaddress
import re
import socket
import ssl
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import brotli
import zstandard
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PUBLIC = "93.184.216.34"
FEED = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0"><channel><title>Harbour Gazette</title><link>https://gazette.example.org/</link>
<description>News of the harbour</description>
{items}</channel></rss>
"""
ITEM = """<item><title>Story number {n} of the harbour</title><link>https://gazette.example.org/news/{n}</link>
<guid>https://gazette.example.org/news/{n}</guid><description>What happened at berth {n}.</description></item>
"""
HTML = "<!doctype html><html><head><title>Parked</title></head><body><p>This domain is for sale.</p></body></html>"


def feed(numbers: range) -> bytes:
    """Returns an RSS feed with the stories of these numbers, newest first."""
    return FEED.format(items="".join(ITEM.format(n=n) for n in reversed(numbers))).encode()


@dataclass
class Asked:
    """One request as the server saw it."""

    path: str
    headers: dict[str, str]
    secure: bool
    at: float


@dataclass
class ScriptedServer:
    """Serves on two ports of loopback, one plain, one with TLS.

    Attributes:
        answer: chooses the answer to a request: a `respond` object of a scenario.
        folder: where `@file:` bodies lie.
        requests: what was asked, in order.
        most_at_once: requests that were being answered at the same time.
    """

    answer: Callable[[Asked], dict[str, Any]]
    folder: Path
    generated: Callable[[int], bytes] = lambda seconds: b""
    requests: list[Asked] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    most_at_once: int = 0
    plain_port: int = 0
    tls_port: int = 0
    connections: int = 0

    async def __aenter__(self) -> "ScriptedServer":
        self._now = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._plain = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._tls = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=authority().server)
        self._odd = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=authority().stranger)
        self.plain_port = self._plain.sockets[0].getsockname()[1]
        self.tls_port = self._tls.sockets[0].getsockname()[1]
        self.stranger_port = self._odd.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        for server in (self._plain, self._tls, self._odd):
            server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        self.connections += 1
        try:
            while await self._one(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        clock = asyncio.get_running_loop().time
        asked = Asked(
            path=head[0].split(" ")[1],
            headers={line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in head[1:] if line},
            secure=writer.get_extra_info("ssl_object") is not None,
            at=clock(),
        )
        self.requests.append(asked)
        self.starts.append(asked.at)
        respond = self.answer(asked)
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        try:
            await asyncio.sleep(respond.get("latency_s", 0))
            return await self._respond(respond, writer)
        finally:
            self._now -= 1

    async def _respond(self, respond: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        if respond.get("hang"):
            await asyncio.sleep(3600)
        if "raw" in respond:
            writer.write(respond["raw"].encode())
            await writer.drain()
            return False
        if respond.get("headers_flood"):
            writer.write(b"HTTP/1.1 200 OK\r\n")
            number = 0
            while True:
                writer.write(b"".join(b"X-%d: %s\r\n" % (number + n, b"y" * 200) for n in range(100)))
                number += 100
                await writer.drain()
        if "slow_headers" in respond:
            for byte in b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nX-Slow: " + b"y" * 10_000:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(respond["slow_headers"])
        return await self._message(respond, writer)

    async def _message(self, respond: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        status = respond["status"]
        headers = {name: _expanded(value) for name, value in respond.get("headers", {}).items()}
        body, stream = self._body(respond, headers)
        names = {name.lower() for name in headers}
        lines = [f"HTTP/1.1 {status} Scripted"]
        if "date" not in names:
            lines.append("Date: Mon, 01 Sep 2025 10:00:00 GMT")
        lines += [f"{name}: {value}" for name, value in headers.items()]
        chunked = "transfer-encoding" in names
        close = stream is not None
        if "content-length" not in names and not chunked and status not in (204, 304):
            if stream is None:
                lines.append(f"Content-Length: {len(body)}")
            else:
                lines.append("Connection: close")
        writer.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n")
        if status in (204, 304):
            await writer.drain()
            return True
        if "truncate_at" in respond:
            body, close = body[: respond["truncate_at"]], True
        if "content-length" in names:
            close = True
        if chunked:
            size = respond.get("chunk", 4096)
            for start in range(0, len(body), size * 1000):
                block = body[start : start + size * 1000]
                writer.write(b"".join(_chunk(block[at : at + size]) for at in range(0, len(block), size)))
                await writer.drain()
            writer.write(b"0\r\n\r\n")
        elif stream is None:
            for start in range(0, len(body), 1 << 16):
                writer.write(body[start : start + (1 << 16)])
                await writer.drain()
        else:
            piece, pause = stream
            while True:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(pause)
        await writer.drain()
        if close:
            writer.write_eof() if writer.can_write_eof() else None
            await asyncio.sleep(0.05)
        return not close

    def _body(self, respond: dict[str, Any], headers: dict[str, str]) -> tuple[bytes, tuple[bytes, float] | None]:
        text = respond.get("body", "")
        call = re.fullmatch(r"@(bytes|gen|slow)\((?:every=)?([0-9.]+)\)", text)
        if text == "@endless":
            return b"", (b"<item><title>again</title></item>" * 2000, 0.0)
        if call and call[1] == "slow":
            return b"", (b"<", float(call[2]))
        if text.startswith("@file:"):
            return (self.folder / text.removeprefix("@file:")).read_bytes(), None
        if text == "@feed3":
            body = feed(range(1, 4))
        elif text == "@feed3+1":
            body = feed(range(1, 5))
        elif text == "@html":
            body = HTML.encode()
        elif call and call[1] == "bytes":
            body = b"x" * int(call[2])
        elif call:
            body = self.generated(int(call[2]))
        else:
            body = _expanded(text).encode()
        return _encoded(body, respond, headers), None


def _expanded(text: str) -> str:
    call = re.fullmatch(r"@x\((\d+)\)", text)
    return "x" * int(call[1]) if call else text


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def _encoded(body: bytes, respond: dict[str, Any], headers: dict[str, str]) -> bytes:
    coding = {name.lower(): value for name, value in headers.items()}.get("content-encoding", "")
    if respond.get("precompressed"):
        return gzip.compress(body)
    if respond.get("plain") or not coding:
        return body
    if coding == "gzip":
        members = respond.get("members", 1)
        size = -(-len(body) // members)
        packed = b"".join(gzip.compress(body[at : at + size]) for at in range(0, len(body), size))
        return packed + respond.get("trailing", "").encode()
    if coding == "deflate":
        deflate = zlib.compressobj(wbits=-15 if respond.get("raw_deflate") else 15)
        return deflate.compress(body) + deflate.flush()
    if coding == "br":
        return bytes(brotli.compress(body))
    if coding == "zstd":
        return zstandard.ZstdCompressor().compress(body)
    return body


class _Routed(socket.socket):
    """A socket that connects to another address than it is given."""

    route: Callable[[tuple[Any, ...]], tuple[str, int]]

    def connect(self, address: Any) -> None:
        super().connect(self.route(address))


def routed_socket(route: Callable[[tuple[Any, ...]], tuple[str, int]]) -> Callable[[Any], socket.socket]:
    """Returns a maker of sockets that accepts checked addresses and connects to where `route` says instead."""

    def make(info: Any) -> socket.socket:
        made = _Routed(socket.AF_INET, socket.SOCK_STREAM)
        made.route = route
        made.setblocking(False)
        return made

    return make


@dataclass(frozen=True)
class Authority:
    """A private certificate authority, a server certificate that it signed, and one that nobody signed."""

    client: ssl.SSLContext
    server: ssl.SSLContext
    stranger: ssl.SSLContext


_authority: list[Authority] = []


def authority() -> Authority:
    """The authority of this process; its keys are made when first needed."""
    if not _authority:
        _authority.append(_make_authority())
    return _authority[0]


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: str, signer: ec.EllipticCurvePrivateKey, ca: bool
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.timezone.utc)
    names: list[x509.GeneralName] = [x509.DNSName("*.example.org"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        # Required by the strict checks (RFC 5280) that Python makes from 3.13 on:
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .add_extension(_key_usage(ca), critical=True)
    )
    return builder.sign(signer, hashes.SHA256())


def _key_usage(ca: bool) -> x509.KeyUsage:
    """An authority signs certificates, a server signs handshakes."""
    return x509.KeyUsage(
        digital_signature=not ca, key_cert_sign=ca, crl_sign=ca, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _context(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        file.write(certificate.public_bytes(serialization.Encoding.PEM))
        file.write(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        file.flush()
        context.load_cert_chain(file.name)
    return context


def _make_authority() -> Authority:
    root, server, stranger = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    root_certificate = _certificate("Scripted root", root, "Scripted root", root, ca=True)
    client = ssl.create_default_context()
    client.load_verify_locations(cadata=root_certificate.public_bytes(serialization.Encoding.PEM).decode())
    return Authority(
        client,
        _context(_certificate("server", server, "Scripted root", root, ca=False), server),
        _context(_certificate("stranger", stranger, "stranger", stranger, ca=False), stranger),
    )
