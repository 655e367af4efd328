"""Parses the address of a program's own metrics; only addresses of this machine are allowed."""

from __future__ import annotations

import ipaddress
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from memtop.errors import UsageError
from memtop.sanitize import clean

LONGEST: Final = 2000
"""Most characters of an address."""
_DEFAULT_PATH: Final = "/debug/vars"


class Endpoint(NamedTuple):
    """The address of a program's metrics, checked once. memtop connects to no other address."""

    host: str
    """A literal address, or a name if remote hosts are allowed."""
    port: int
    path: str
    """The path with its query, as typed."""
    tls: bool = False

    @property
    def url(self) -> str:
        """The whole address, whatever was left out when it was typed."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}{self.path}"

    @property
    def label(self) -> str:
        """The address for display and recording, without its query, which may hold a token."""
        return clean(self.url.partition("?")[0])


def parse_endpoint(url: str, allow_remote: bool = False) -> Endpoint:
    """Parse ``http://127.0.0.1:6060/debug/vars``, ``localhost:6060``, ``:6060`` or ``6060``.

    Names other than localhost are not looked up unless remote hosts are allowed, so no name can lead elsewhere. Raises
    UsageError, which says what is allowed and never quotes user information or the query.
    """
    if len(url) > LONGEST:
        raise UsageError(f"a URL has at most {LONGEST} characters")
    if any(ord(character) <= 0x20 or ord(character) == 0x7F for character in url):
        raise UsageError("a URL has no spaces and no control characters")
    if not url.isascii():
        raise UsageError("a URL must be ASCII")
    text = f"http://127.0.0.1:{url.removeprefix(':')}" if url.removeprefix(":").partition("/")[0].isdecimal() else url
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        port, host = parts.port, parts.hostname
    except ValueError as error:
        raise UsageError("not a URL such as http://127.0.0.1:6060/debug/vars") from error
    if parts.scheme not in ("http", "https") or not host or port == 0:
        raise UsageError("only http and https are read, such as http://127.0.0.1:6060/debug/vars")
    if parts.netloc.endswith(":"):
        raise UsageError(f"the port is missing, as in {clean(host[:60])}:6060")
    if parts.username is not None or parts.password is not None:
        raise UsageError("a URL with a user name or password is not accepted")
    if not allow_remote and not is_loopback(host):
        raise UsageError(f"{clean(host[:60])} is not this machine: only 127.0.0.1, ::1 and localhost are allowed")
    tls = parts.scheme == "https"
    path = (parts.path or _DEFAULT_PATH) + (f"?{parts.query}" if parts.query else "")
    return Endpoint(host, port or (443 if tls else 80), path, tls)


def is_loopback(host: str) -> bool:
    """Whether this is a loopback address or localhost, which means 127.0.0.1 and ::1 and is never looked up."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)
