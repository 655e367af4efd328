"""Redacts secrets (passwords, keys, tokens) in command lines before they are recorded.

A value is taken out after a name that speaks of a secret (``--password=V``, ``--password V``, ``API_KEY=V``,
``-Ddb.pass=V``, ``Authorization: V``), in the user part of a URL, and after ``-p`` of the MySQL family. When in
doubt it goes: a recording that hides a keyboard layout is better than one that shows a key.
"""

from __future__ import annotations

import re
from typing import Final

HIDDEN: Final = b"***"

_SECRET: Final = rb"(?:pass|pwd|secret|token|key|cred|auth|cookie|dsn)"
_NAME: Final = rb"(?<![\w.-])(?=[\w.-]*?" + _SECRET + rb")[\w.-]++"
_URL_USER = re.compile(rb"(://[^\s:/@]{0,200}:)[^\s]{0,200}@")
_URL_TOKEN = re.compile(rb"(https?://)[^\s:/@]{1,200}@", re.I)
_WHOLE = re.compile(rb"(" + _NAME + rb"=).+\Z", re.I | re.S)
_HEADER = re.compile(rb"(" + _NAME + rb"[\"']?\s{0,8}:\s{0,8})[^\s].*", re.I | re.S)
_ASSIGNED = re.compile(rb"(" + _NAME + rb"\s{0,8}=\s{0,8})(?:\"[^\"]*+\"|'[^']*+'|[^\s&;,\"']++)", re.I)
_SPACED = re.compile(rb"(?<![\w.-])(--?(?=[\w.-]*?" + _SECRET + rb")[\w.-]++\s{1,8})[^\s-]\S*+", re.I)
_OPTION = re.compile(rb"--?(?=[\w.-]*?" + _SECRET + rb")[\w.-]++\Z", re.I)
_MYSQL = re.compile(rb"(?:.*/)?(?:mysql|mariadb)[\w-]*\Z", re.S)


def scrub(argv: bytes) -> bytes:
    """The arguments of /proc/PID/cmdline, separated by NUL, with ``***`` for what may be secret.

    Running it again changes nothing.
    """
    arguments = argv.split(b"\0")
    mysql = _MYSQL.match(arguments[0]) is not None
    option_before = False
    for place, argument in enumerate(arguments):
        if option_before and argument and not argument.startswith(b"-"):
            arguments[place] = HIDDEN
        elif mysql and place and argument.startswith(b"-p") and len(argument) > 2:
            arguments[place] = b"-p" + HIDDEN
        else:
            arguments[place] = _scrub_argument(argument)
        option_before = bool(place) and _OPTION.match(argument) is not None
    return b"\0".join(arguments)


def _scrub_argument(argument: bytes) -> bytes:
    scrubbed = _URL_TOKEN.sub(rb"\1***@", _URL_USER.sub(rb"\1***@", argument))
    if _WHOLE.match(scrubbed):
        return _WHOLE.sub(rb"\1***", scrubbed)
    scrubbed = _HEADER.sub(rb"\1***", scrubbed)
    return _SPACED.sub(rb"\1***", _ASSIGNED.sub(rb"\1***", scrubbed))
