"""Redacts secrets (passwords, keys, tokens) in command lines: in recordings, JSON and CSV; --no-redact shows them.

A value is replaced after a name that suggests a secret (``--password=V``, ``--password V``, ``API_KEY=V``,
``-Ddb.pass=V``, ``Authorization: V``), in the user part of a URL, and after the options of known programs that take a
secret (``curl -u V``, ``sshpass -p V``, ``mysql -pV``). In doubt the value is replaced: it is better to hide a keyboard
layout than to show a key.
"""

import re
from functools import cache, lru_cache
from typing import Final, NamedTuple

HIDDEN: Final = b"***"
CACHED: Final = 256
"""Number of command lines whose redacted form is cached: a command line is read again now and then."""

_SECRET: Final = (
    rb"(?:pass|pwd|secret|token|key|cred|auth(?!or(?!i[sz]))|cookie|dsn|jwt|bearer|psk|signature"
    rb"|(?:(?<![a-z])|(?<=bind)|(?<=root)|(?<=user))(?:sig|pat|pw)(?![a-z]))"
)
_NAME: Final = rb"(?<![\w.-])(?=[\w.-]*?" + _SECRET + rb")[\w.-]++"
_URL_USER: Final = rb"(://[^\s:/@]{0,200}:)[^\s]{0,200}@"
_USER_AT: Final = (
    rb"((?<![\w/.:@+-])(?!(?:mailto|sips?|xmpp|acct):)(?:[\w.-]{1,64}/)?[\w.+-]{1,64}:)"
    rb"[^\s:/@]{1,200}@(?!sha\d+:)(?=[\w.(-])"
)
"""A user, perhaps with a domain, and a password before a host, without a scheme; no image with its digest."""
_USER_TOO: Final = (
    rb"(?i)(\buser(?:name)?=[^\s,%]{1,64}%|:\w{1,8}server:[^\s:@]{1,64}:(?=[^\s@]+@)|\bopen\s+-u\s*[^\s,]{1,64},"
    rb"|[/-]login:[^\s,]{1,64},|\bsecret,(?:[^\s,]{1,64},){0,8}data=)[^\s,@]+"
)
"""The same of mount.cifs, cvs, lftp, tf and QEMU."""
_SHAPES: Final = (
    rb"\b(?:(?:AKIA|ASIA)\w{8,}|gh[pousr]_\w{16,}|github_pat_\w+|gl[a-z]{2,5}t-[\w-]{10,}|xox[a-z]-[\w-]{6,}"
    rb"|sk-[\w-]{16,}|AIza[\w-]{20,}|(?:hf|npm)_\w{16,}|pypi-[\w-]{16,}|eyJ[\w-]{8,}\.[\w-]+\.[\w-]*"
    rb"|[sr]k_(?:live|test)_\w{10,}|SG\.[\w-]{16,}\.[\w-]{16,}|ya29\.[\w-]{20,}|do[pr]_v1_\w{20,}|hv[sbr]\.[\w-]{20,}"
    rb"|shp(?:at|ss|pa|ca)_\w{16,}|tskey-[\w-]{8,}|dckr_pat_[\w-]{16,}|glsa_\w{16,}|nvapi-[\w-]{20,}"
    rb"|AGE-SECRET-KEY-1\w+|(?:bot)?\d{8,10}:AA[\w-]{30,})"
    rb"|(?<=hooks\.slack\.com/services/)[\w/-]+|(?<=/api/webhooks/)[\w/-]+"
    rb"|(?s:-----BEGIN [A-Z ]*PRIVATE KEY-----.*)"
)
"""What keys and tokens of well-known services look like, wherever they stand."""
_NAMES_VALUE: Final = (
    rb"(?i)[\w./:-]*?(?:password|passwd|passphrase|(?:auth|access|session)[-_]?token"
    rb"|(?:access|private|api|secret)[-_]?key|(?:user|owner|input)_pw|psk|bearer|_auth)\Z"
)
"""A word after which its value follows: ``config set auth_token V``."""
_STDIN: Final = rb"(?:-stdin|sudo\s+-\w*S|chpasswd|passphrase-fd|passwd|cryptsetup)"
_PIPED: Final = rb"((?:\A|[\s;&|(])(?:echo|printf)\s+)[^|;&]+(?=\|[^|]*" + _STDIN + rb")"
"""``echo V | program --password-stdin``"""
_HERE: Final = rb"(" + _STDIN + rb"[^|;&]{0,200}<<<\s{0,8})[^\s|;&]+"
"""``program --password-stdin <<< V``"""
_EXPECT: Final = rb"(?is)(assw(?:or)?d.{0,200}?\bsend\s+(?:--\s+)?)(?:\"[^\"]*+\"|\{[^}]*+\}|[^\s;]++)"
"""``expect "assword:"; send V``"""
_SLASHED: Final = rb"(?i)\A(/(?:p|pth|gp|(?=[\w-]*?" + _SECRET + rb")[\w-]+)[:=])[^/].*"
_QUOTED: Final = (
    rb"(?i)((?:(?<![\w.-])(?:password|passphrase)|\bidentified\s+(?:with\s+\w+\s+)?(?:by|as))(?:\s{1,8}\(?|\()\s{0,8})"
    rb"(?:\"[^\"]*+\"|'[^']*+')"
)
"""``ALTER USER x PASSWORD 'V'``, ``IDENTIFIED BY 'V'``"""
_BEARER: Final = rb"(?i)(\bbearer\s+)[\w.~+/=-]{12,}"
_ELEMENT: Final = rb"(?i)(<(?=[\w.:-]*?" + _SECRET + rb")[\w.:-]++[^<>]{0,200}+>)[^<]++"
"""``<password>V</password>``"""
_THIN: Final = rb"(?i)(\b(?:thin|oci8?):[\w$#]{1,64}/)[^@\s]{1,200}(?=@)"
"""An address of JDBC for Oracle."""
_CERTIFICATE: Final = rb"(?i)(\.(?:pem|p12|pfx|crt|key|jks):)(?!(?:r[ow]|z)\b)[^\s/:]+"
"""A file with its password behind it; no volume of a container."""
_URL_TOKEN: Final = rb"(?i)(https?://)[^\s:/@]{1,200}@"
_WHOLE: Final = rb"(?is)(" + _NAME + rb"=).+\Z"
_HEADER: Final = rb"(?is)(?:(?<!/)|(?![\w.-]+:/))(" + _NAME + rb"[\"']?\s{0,8}:\s{0,8})[^\s].*"
_ASSIGNED: Final = rb"(?i)(" + _NAME + rb"\s{0,8}=>?\s{0,8})(?:\"[^\"]*+\"|'[^']*+'|[^\s&;,\"']++)"
_SPACED: Final = rb"(?i)(?<![\w.-])(--?(?=[\w.-]*?" + _SECRET + rb")[\w.-]++\s{1,8})[^\s-]\S*+"
_OPTION: Final = rb"(?i)--?(?=[\w.-]*?" + _SECRET + rb")[\w.-]++\Z"
_WORDS: Final = rb"(\s+|[;|&()]+)"
_SEPARATORS: Final = (b";", b"|", b"&", b"(", b")")
_SPACED_OUT: Final = bytes.maketrans(b"\0;|&()", b"      ")
"""Puts a space for each sign between words."""
_ASSIGNS: Final = (b"=", b"=>", b":", b":=")


_KEPT: Final = rb"\1***"
_ANYWHERE: Final = (
    (b"://", _URL_USER, rb"\1***@"),
    (b"://", _URL_TOKEN, rb"\1***@"),
    (b"@", _USER_AT, rb"\1***@"),
    (b"", _USER_TOO, _KEPT),
    (b"", _SHAPES, HIDDEN),
    (b"/", _SLASHED, _KEPT),
    (b"|", _PIPED, rb"\1*** "),
    (b"<<<", _HERE, _KEPT),
    (b"", _EXPECT, _KEPT),
    (b"", _QUOTED, _KEPT),
    (b"", _BEARER, _KEPT),
    (b"<", _ELEMENT, _KEPT),
    (b"@", _THIN, _KEPT),
    (b":", _CERTIFICATE, _KEPT),
)
"""Part of all that a pattern matches, the pattern, and what is kept. Most arguments lack the parts, so few patterns are
compiled."""


class _Program(NamedTuple):
    """Options of a program whose value is a secret although their names do not suggest it."""

    names: str
    """File names, separated by ``|``."""
    letters: str = ""
    """Short options whose value follows or is attached."""
    like: str = ""
    """More file names, as a regular expression."""
    attached: str = ""
    """Short options whose value is always attached. The word after them is something else."""
    options: tuple[str, ...] = ()
    """Long options whose value follows, directly or after ``=``."""
    after: str = ""
    """The subcommand, if only one subcommand takes secrets."""
    operands: str = ""
    """Operands that are secrets themselves, as a regular expression."""
    rest_after: str = ""
    """Words behind which all operands may be secrets, as a regular expression."""
    next_after: str = ""
    """Operands directly behind which a secret may stand, as a regular expression."""


_PROGRAMS: Final = (
    _Program("", like="mysql[\\w-]*|(?:maria|inno|xtra)(?:db|back)[\\w-]*", attached="p"),
    _Program("curl", "uUb", options=("--user", "--proxy-user")),
    _Program("hey|wbinfo", "a", like="https?|xhs?"),
    _Program("ab", "AP"),
    _Program("", like="nikto(?:\\.pl)?", options=("-id",)),
    _Program("wget|aria2c|lftp", "up", like="ncftp\\w*", options=("--user",)),
    _Program("sshpass", "p"),
    _Program("redis-cli|valkey-cli|keydb-cli", "a", rest_after="(?i:auth|requirepass|masterauth|setuser)"),
    _Program("redis-server", options=("--requirepass", "--masterauth", "--user"), operands=">.+"),
    _Program("", "p", like="mongo\\w*"),
    _Program("", "w", like="ldap\\w+|kadmin(?:\\.local)?"),
    _Program("smbclient|rpcclient|smbget|winexe|net", "U", options=("--user",), next_after="(?://|\\\\\\\\)[^/\\\\].*"),
    _Program("sqlcmd|bcp|isql|tsql|osql", "P"),
    _Program("ipmitool|knife|p4", "P", like="mosquitto_\\w+"),
    _Program("plink|pscp|psftp|addprinc|cpw", like="kadmin(?:\\.local)?", options=("-pw",)),
    _Program(
        "cqlsh|rabbitmqadmin|influx|nats|arangosh|beeline|twine|elasticsearch-users|mydumper|myloader|racadm|esxcli"
        "|ilorest|hdbsql|couchbase-cli|cbq|cypher-shell",
        "p",
        like="clickhouse\\w*",
    ),
    _Program(
        "useradd|usermod|groupmod|hydra|crackmapexec|netexec|nxc|youtube-dl|yt-dlp|psexec",
        "p",
        like="evil-winrm(?:\\.rb)?",
    ),
    _Program("ktutil", "pw"),
    _Program("", "paACX", like="check_\\w+"),
    _Program("", "p", like="pt-[\\w-]+", operands="\\S*\\bp=\\S+"),
    _Program("dig|nsupdate|kdig|delv", "y"),
    _Program("aws", options=("--value",), after="put-parameter"),
    _Program("iscsiadm", "v"),
    _Program("db2", next_after="(?i:using)"),
    _Program("", like="(?:\\w+exec|secretsdump|ntlmrelayx)\\.py|impacket-\\w+", options=("-hashes",)),
    _Program("p11tool|softhsm2-util|certtool", like="pkcs1[15]-\\w+", options=("--pin", "--so-pin", "--new-pin")),
    _Program("qpdf", like="pdf\\w+", options=("-upw", "-opw")),
    _Program("qpdf", rest_after="--encrypt"),
    _Program("consul|serf|nomad", options=("-encrypt",)),
    _Program("gitlab-runner", "r", after="register"),
    _Program("ssserver|sslocal", "k", like="ss-\\w+"),
    _Program("doctl", "t", like="frp[cs]"),
    _Program("swift", "K"),
    _Program("gh", "b", options=("--body",), after="secret"),
    _Program("flyctl|fly|doppler|wrangler", operands="\\w+=.+", after="secrets"),
    _Program("rabbitmqctl", rest_after="add_user|change_password|authenticate_user"),
    _Program("sqlplus|sqlldr|rman", like="expd?p?|impd?p?", operands="[\\w$#]+/[^/\\s]+(?:@\\S+)?(?:\\s.*)?"),
    _Program("etcdctl|ctr", options=("--user",)),
    _Program("kubectl|oc", options=("--from-literal",)),
    _Program("vault", rest_after="login|put|write|patch"),
    _Program("rclone", rest_after="obscure|pass\\w*"),
    _Program("mc|mcli", rest_after="set|add"),
    _Program(
        "ngrok|poetry|composer",
        rest_after="(?:add-)?authtoken|(?:http-basic|bearer|(?:pypi|gitlab)-token|(?:github|gitlab)-oauth)\\..*",
    ),
    _Program("cargo|bw", rest_after="login|unlock"),
    _Program("cloudflared", rest_after="install"),
    _Program("virsh", rest_after="secret-set-value"),
    _Program("pulumi", rest_after="set"),
    _Program("cf|radclient|samba-tool", rest_after="auth|acct|create|add|setpassword"),
    _Program("neo4j-admin", rest_after="set-initial-password"),
    _Program("wpa_passphrase|radtest|isql|vncpasswd", rest_after="(?:.*/)?(?:wpa_passphrase|radtest|isql|vncpasswd)"),
    _Program("iw|iwconfig", rest_after="keys?"),
    _Program("grafana-cli|grafana", rest_after="reset-admin-password"),
    _Program("ssh-keygen", "NP"),
    _Program("ldappasswd", "as"),
    _Program("swaks|sendemail", options=("-ap", "-xp")),
    _Program("zip|unzip", "P"),
    _Program("", like="7z\\w?", attached="p"),
    _Program("rar|unrar", attached="ph"),
    _Program("htpasswd", rest_after="(?:.*/)?htpasswd"),
    _Program("docker|podman|buildah|nerdctl|helm|skopeo|oras|crane", "pu", after="login"),
    _Program("az|oc|cf|vault|ibmcloud", "pt", after="login"),
    _Program("openssl", options=("-k", "-K", "-pass", "-passin", "-passout", "-hmac", "-macopt"), rest_after="passwd"),
    _Program("caddy", options=("--plaintext",)),
    _Program("rtmpdump", options=("--jtv",)),
    _Program("rdesktop", "p", like="\\w{0,3}freerdp\\w*"),
    _Program("svn", "AXc", like="snmp\\w+"),
)


class _Rule(NamedTuple):
    program: _Program
    whole: re.Pattern[bytes]
    """Matches an option whose value is the next argument."""
    joined: re.Pattern[bytes]
    """Matches an option together with its value."""
    after: bytes
    operand: re.Pattern[bytes]
    """Matches an operand that is a secret."""
    rest_after: re.Pattern[bytes]
    """Matches a word behind which all operands may be secrets."""
    next_after: re.Pattern[bytes]
    """Matches an operand directly behind which a secret may stand."""


@lru_cache(len(_PROGRAMS))
def _rule(program: _Program) -> _Rule:
    """The rule of a program, compiled when a command line names it."""
    never = "(?!)"
    long = "|".join(map(re.escape, program.options)) or never
    follows = f"-[A-Za-z]*[{program.letters}]" if program.letters else never
    letters = program.letters + program.attached
    joined = f"-[{letters}]" if letters else never
    return _Rule(
        program,
        re.compile(rf"(?:{long}|{follows})\Z".encode()),
        re.compile(rf"((?:{long})=|{joined})(?=.)".encode(), re.S),
        program.after.encode(),
        re.compile(rf"(?:{program.operands or never})\Z".encode()),
        re.compile(rf"(?:{program.rest_after or never})\Z".encode(), re.S),
        re.compile(rf"(?:{program.next_after or never})\Z".encode(), re.S),
    )


def _rules_of(word: bytes) -> list[_Rule]:
    """The rules of the program that a word names, by its file name."""
    name = word.rpartition(b"/")[2]
    if name not in _names() and not _like().fullmatch(name):
        return []
    return [
        _rule(program)
        for program in _PROGRAMS
        if name in program.names.encode().split(b"|") or re.fullmatch(program.like.encode() or b"(?!)", name)
    ]


@cache
def _names() -> frozenset[bytes]:
    """File names of the known programs, without those that only a pattern matches."""
    return frozenset("|".join(program.names for program in _PROGRAMS if program.names).encode().split(b"|"))


@cache
def _like() -> re.Pattern[bytes]:
    """Matches the other file names of the known programs."""
    return re.compile("|".join(program.like for program in _PROGRAMS if program.like).encode(), re.I)


@cache
def _suspicious() -> re.Pattern[bytes]:
    """Matches what else a command line has that may hold a secret."""
    more = rb":[^\s:/@\0]+@|/g?p(?:th)?:|assw|identified\s|_pw\0|thin:|oci8?:|\.(?:pem|p12|pfx|crt|jks):|cryptsetup"
    more += rb"|user(?:name)?=[^\s,%\0]+%|[/-]login:"
    return re.compile(rb"(?i:" + _SECRET + rb"|" + more + rb")|://|sudo\s+-\w*S|" + _SHAPES)


def _may_hold_secret(argv: bytes) -> bool:
    """Whether a command line may hold a secret. Most hold none; then the other patterns are not compiled."""
    names = [word.rpartition(b"/")[2] for word in argv.lower().translate(_SPACED_OUT).split()]
    return bool(not _names().isdisjoint(names) or _suspicious().search(argv) or any(map(_like().fullmatch, names)))


@lru_cache(CACHED)
def scrub(argv: bytes) -> bytes:
    """Replace possible secrets with ``***`` in the NUL-separated arguments of /proc/PID/cmdline.

    A second run changes nothing.
    """
    if not _may_hold_secret(argv):
        return argv
    arguments = argv.split(b"\0")
    known = _scrub_by_program(arguments)
    option_before = False
    for place, argument in enumerate(arguments):
        if option_before and argument and not argument.startswith(b"-"):
            known[place] = HIDDEN
        elif known[place] == argument:
            known[place] = _scrub_argument(argument)
        option_before = bool(place) and re.match(_OPTION, argument) is not None
    return b"\0".join(known)


def _scrub_by_program(words: list[bytes]) -> list[bytes]:
    """The words, with the values of secret options replaced for each known program that is named before them."""
    found: list[bytes] = []
    rules: list[_Rule] = []
    seen: set[bytes] = set()
    value_next = rest = False
    for place, whole in enumerate(words):
        scrubbed, word = whole, whole.strip(b"'\"")  # within a script
        if not word.strip() or word in _ASSIGNS:
            pass  # whitespace between two words, or what stands between a name and its value
        elif word[:1] in _SEPARATORS:
            value_next = rest = False
        elif not word.startswith(b"-"):
            new = [rule for rule in _rules_of(word) if rule not in rules]
            active = [rule for rule in rules if not rule.after or rule.after in seen]
            if value_next or (rest and not new) or any(rule.operand.match(word) for rule in active):
                scrubbed, value_next = HIDDEN, False
            else:
                rules += new
                seen.add(word)
                rest = rest or any(rule.rest_after.match(word) for rule in rules)
                value_next = place > 0 and (
                    re.match(_NAMES_VALUE, word) is not None or any(rule.next_after.match(word) for rule in rules)
                )
        else:
            command = word.partition(b"=")[2].strip(b"'\"")  # --rsh=program
            rules += [rule for rule in _rules_of(command) if rule not in rules]
            rest = rest or any(rule.rest_after.match(word) for rule in rules)
            active = [rule for rule in rules if not rule.after or rule.after in seen]
            value_next = any(rule.whole.match(word) for rule in active)
            joined = None if value_next else next(filter(None, (rule.joined.match(word) for rule in active)), None)
            if joined is not None:
                scrubbed = joined[1] + HIDDEN
        found.append(scrubbed)
    return found


def _scrub_argument(argument: bytes) -> bytes:
    scrubbed = argument
    for part, pattern, kept in _ANYWHERE:
        if part in scrubbed:
            scrubbed = re.sub(pattern, kept, scrubbed)
    if b"=" in scrubbed and re.match(_WHOLE, scrubbed):
        return re.sub(_WHOLE, rb"\1***", scrubbed)
    if b" " in scrubbed:
        scrubbed = b"".join(_scrub_by_program(re.split(_WORDS, scrubbed)))
    if b":" in scrubbed:
        scrubbed = re.sub(_HEADER, rb"\1***", scrubbed)
    if b"=" in scrubbed:
        scrubbed = re.sub(_ASSIGNED, rb"\1***", scrubbed)
    return re.sub(_SPACED, rb"\1***", scrubbed)
