"""The program in a command line, by shapes of real ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtop.program_name import program_name

VENV = "/root/.pyenv/versions/3.11.9/envs/shop/bin"


@pytest.mark.parametrize(
    ("line", "own"),
    [
        (f"{VENV}/python3.11|-u|/srv/orders.py|--port|80", "orders.py --port 80"),
        (f"{VENV}/python|-m|http.server|8000", "http.server 8000"),
        ("java|-jar|/srv/app.jar|x", "app.jar x"),
        ("bash|run.sh", "run.sh"),
        ("bash|-c|sleep 1", ""),
        ("python3", ""),
        ("nginx: worker process", ""),
        ("/usr/sbin/mysqld|--user=mysql", ""),
    ],
)
def test_the_command_without_its_interpreter(line: str, own: str) -> None:
    assert program_name(line.replace("|", "\0").encode()).own == own.encode()


@pytest.mark.parametrize(
    ("line", "short", "names"),
    [
        ("/usr/sbin/mysqld|--user=mysql", "mysqld --user=mysql", "mysqld"),
        (f"{VENV}/python|/srv/orderpkg", "python orderpkg", "python orderpkg"),
        (f"{VENV}/python|/srv/orderpkg/__main__.py|a", "python orderpkg a", "python orderpkg"),
        ("python3|__main__.py", "python3 __main__.py", "python3 __main__.py"),
        ("python3|-O|-m|orderpkg.__main__|a", "python3 -m orderpkg a", "python3 orderpkg"),
        ("python3|./__main__.py", "python3 __main__.py", "python3 __main__.py"),
        ("/usr/bin/awk|-F|:|-f|/srv/sum.awk|log", "awk sum.awk log", "awk sum.awk"),
        ("gawk|-v|n=1|{print}|log", "gawk -v n=1 {print} log", "gawk"),
        ("java|-Xmx1g|--module=shop/com.acme.Orders|x", "java com.acme.Orders x", "java com.acme.Orders"),
        ("[celeryd: celery@host:MainProcess]", "[celeryd: celery@host:MainProcess]", "celeryd celery"),
        ("uWSGI master", "uWSGI master", "uWSGI uwsgi"),
        ("tail|-f|nosuchdaemon.log", "tail -f nosuchdaemon.log", "tail"),
        ("vim|/etc/nginx/nginx.conf", "vim /etc/nginx/nginx.conf", "vim"),
        (f"{VENV}/python|orders.py", "python orders.py", "python orders.py"),
        (
            f"{VENV}/python3.11|-u|-X|dev|/srv/orders.py|--port|80",
            "python3.11 orders.py --port 80",
            "python3.11 orders.py",
        ),
        (f"{VENV}/python|{VENV}/gunicorn|app:app|-w|4", "python gunicorn app:app -w 4", "python gunicorn"),
        (f"{VENV}/python|-m|http.server|8000", "python -m http.server 8000", "python http.server"),
        (f"{VENV}/python|-Im|celery|worker", "python -m celery worker", "python celery"),
        (f"{VENV}/python|-Wignore|-mcelery|worker", "python -m celery worker", "python celery"),
        (f"{VENV}/python|-c|import nosuch|x.py", "python -c import nosuch x.py", "python"),
        (f"{VENV}/python|-uc|import nosuch", "python -uc import nosuch", "python"),
        ("python3|-|x.py", "python3 - x.py", "python3"),
        ("python3", "python3", "python3"),
        ("/usr/bin/python3|--|-odd.py", "python3 -odd.py", "python3 -odd.py"),
        (
            "/usr/local/bin/node|--max-old-space-size=4096|-r|dotenv/config|/app/server.js",
            "node server.js",
            "node server.js",
        ),
        ("node|-e|setInterval(f)|server.js", "node -e setInterval(f) server.js", "node"),
        ("node|--require|x.js|dist/main.js|start", "node main.js start", "node main.js"),
        (
            "/usr/lib/jvm/java-17/bin/java|-Xmx512m|-cp|/app/*:/lib/x.jar|OrdersApp|a",
            "java OrdersApp a",
            "java OrdersApp",
        ),
        ("java|-ea|-jar|/opt/shop/orders.jar|--spring", "java orders.jar --spring", "java orders.jar"),
        (
            "java|@/etc/jvm.options|--add-opens|java.base/java.lang=ALL-UNNAMED|-m|es.server/es.Main",
            "java es.Main",
            "java es.Main",
        ),
        ("java|-Dmain=x|org.apache.kafka.Kafka", "java org.apache.kafka.Kafka", "java org.apache.kafka.Kafka"),
        ("/usr/bin/ruby3.2|-I|lib|-rbundler/setup|bin/rails|server", "ruby3.2 rails server", "ruby3.2 rails"),
        ("/usr/bin/perl|-w|-MCarp|/usr/bin/exim_tidy|x", "perl exim_tidy x", "perl exim_tidy"),
        ("perl|-ne|print|log", "perl -ne print log", "perl"),
        ("/usr/bin/php8.2|-d|memory_limit=1G|artisan|queue:work", "php8.2 artisan queue:work", "php8.2 artisan"),
        ("php|-f|/srv/job.php|7", "php job.php 7", "php job.php"),
        ("/bin/bash|-eu|/opt/run-orders.sh|x", "bash run-orders.sh x", "bash run-orders.sh"),
        ("/bin/bash|-euo|pipefail|/opt/run.sh", "bash run.sh", "bash run.sh"),
        ("sh|-c|nosuchdaemon --serve", "sh -c nosuchdaemon --serve", "sh"),
        ("bash|-ec|nosuchdaemon", "bash -ec nosuchdaemon", "bash"),
        ("-bash", "-bash", "bash"),
        ("[kworker/0:1]", "[kworker/0:1]", "[kworker/0:1]"),
        ("venv/bin/python|x.py", "python x.py", "python x.py"),
        (
            "nginx: master process /usr/sbin/nginx -g daemon off;",
            "nginx: master process /usr/sbin/nginx -g daemon off;",
            "nginx",
        ),
        ("sshd: root@pts/0", "sshd: root@pts/0", "sshd"),
        ("/opt/google/chrome/chrome --type=renderer --x=/a/b", "chrome --type=renderer --x=/a/b", "chrome"),
        ("/opt/My App/bin/thing", "thing", "thing"),
        ("/app/node_modules/.bin/next start", "next start", "next next start"),
        ("/usr/bin/perl -wT /usr/sbin/munin-node", "perl munin-node", "perl munin-node"),
        ("dotnet|/app/shop.dll|--urls|x", "dotnet shop.dll --urls x", "dotnet shop.dll"),
        ("dotnet|exec|--depsfile|d|/app/shop.dll", "dotnet shop.dll", "dotnet shop.dll"),
        ("dotnet|build|shop.csproj", "dotnet build shop.csproj", "dotnet"),
        ("pwsh|-NoProfile|-ExecutionPolicy|Bypass|-File|/opt/a.ps1|-x|1", "pwsh a.ps1 -x 1", "pwsh a.ps1"),
        ("pwsh|/opt/a.ps1", "pwsh a.ps1", "pwsh a.ps1"),
        ("pwsh|-c|Get-Date", "pwsh -c Get-Date", "pwsh"),
        ("deno|run|--allow-net|main.ts", "deno main.ts", "deno main.ts"),
        ("deno|--version|x", "deno --version x", "deno"),
        ("bun|server.ts", "bun server.ts", "bun server.ts"),
        ("bun|install", "bun install", "bun"),
        ("/usr/lib/R/bin/exec/R|--no-echo|--no-restore|--file=fit.R|--args|7", "R fit.R --args 7", "R fit.R"),
        ("Rscript|-e|x()", "Rscript -e x()", "Rscript"),
        ("julia|-t|4|--project=.|sim.jl", "julia sim.jl", "julia sim.jl"),
        ("fish|-C|set x|run.fish", "fish run.fish", "fish run.fish"),
        ("/bin/busybox|sh|/init.sh", "busybox sh init.sh", "busybox sh init.sh"),
        ("busybox|httpd|-f", "busybox httpd -f", "busybox httpd"),
        ("busybox", "busybox", "busybox"),
        ("/lib64/ld-linux-x86-64.so.2|--library-path|/x|/usr/bin/mysqld|a", "ld-linux-x86-64.so.2 mysqld a", None),
        ("/usr/bin/qemu-aarch64-static|-L|/sysroot|/bin/shop", "qemu-aarch64-static shop", "qemu-aarch64-static shop"),
        ("qemu-system-x86_64|-m|4G", "qemu-system-x86_64 -m 4G", "qemu-system-x86_64"),
        ("valgrind|--tool=massif|python3|-u|x.py", "valgrind python3 x.py", "valgrind python3 x.py"),
        ("C:\\windows\\system32\\services.exe", "services.exe", "services.exe"),
        ("/usr/bin/", "/usr/bin/", "/usr/bin/"),
        ("", "", ""),
        ("||", "", ""),
    ],
)
def test_the_program_of_a_command_line(line: str, short: str, names: str | None) -> None:
    """Names of None are the words of the short form but the last, which is an argument."""
    names = short.rpartition(" ")[0] if names is None else names
    found = program_name(line.replace("|", "\0").encode() + b"\0")
    assert found.short.decode() == short
    assert b" ".join(found.names).decode() == names


SAME = {
    "orders.py": (
        "python|orders.py",
        "/usr/bin/python3|./orders.py",
        f"{VENV}/python3.11|-u|/srv/shop/orders.py|--port|80",
        "python3.12-dbg|../shop/orders.py",
        "python3.13t|orders.py",
        "pypy3|/srv/orders.py",
    ),
    "gunicorn": (f"{VENV}/python|{VENV}/gunicorn|app:app", "python3|-m|gunicorn|app:app", "gunicorn: worker [app]"),
    "celery": (
        "python3|-m|celery|worker",
        "/venv/bin/python|/venv/bin/celery|-A|x",
        "[celeryd: celery@host:MainProcess]",
    ),
    "uwsgi": ("/usr/bin/uwsgi|--ini|x.ini", "uWSGI master", "uWSGI worker 3"),
    "postgres": (
        "/usr/lib/postgresql/15/bin/postgres|-D|/var/lib/pg",
        "postgres: checkpointer ",
        "postgres: app app [local] idle",
    ),
    "nginx": ("/usr/sbin/nginx|-g|daemon off;", "nginx: master process /usr/sbin/nginx", "nginx: worker process"),
    "php-fpm": (
        "php-fpm8.2|--nodaemonize",
        "php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)",
        "php-fpm: pool www",
    ),
    "server.js": ("node|server.js", "/usr/bin/nodejs|/app/server.js", "node|--inspect|./server.js"),
    "rails": ("ruby|bin/rails|s", "ruby3.2|/srv/bin/rails|s"),
    "orders.jar": ("java|-jar|orders.jar", "/opt/jdk-21/bin/java|-Xmx1g|-jar|/opt/orders.jar"),
    "job.pl": ("perl|job.pl", "/usr/bin/perl5.36.0|-w|/srv/job.pl"),
    "artisan": ("php|artisan|queue:work", "/usr/bin/php8.2|/srv/artisan|queue:work"),
    "backup.sh": ("bash|backup.sh", "/bin/sh|/opt/backup.sh", "-bash|./backup.sh"),
    "App.dll": ("dotnet|App.dll", "/usr/share/dotnet/dotnet|/app/App.dll|--urls|x"),
    "python": ("python|-c|pass", "python3.11|-c|pass", "/usr/bin/python3"),
    "mysqld": ("/usr/sbin/mysqld|-x", "/lib64/ld-linux-x86-64.so.2|/usr/sbin/mysqld|-x", "valgrind|/usr/sbin/mysqld"),
    "bash": ("bash", "-bash", "/bin/bash|-c|true", "bash|/dev/fd/63|x", "bash|/proc/self/fd/3", "bash|/dev/stdin"),
    "sshd": ("sshd: ann@pts/0", "/usr/sbin/sshd|-D"),
}
"""What runs, and command lines of processes that run it."""


@pytest.mark.parametrize("runs", SAME)
def test_what_runs_is_the_same_however_it_is_started(runs: str) -> None:
    found = [program_name(line.replace("|", "\0").encode() + b"\0").runs.decode() for line in SAME[runs]]
    assert found == [runs] * len(found)


def test_a_script_with_a_blank_in_its_name_is_one_name() -> None:
    assert program_name(b"python\0/srv/my orders.py\0").names == (b"python", b"my orders.py")


def test_a_command_line_of_carriers_only_has_an_end() -> None:
    assert program_name(b"busybox\0" * 5000).names[0] == b"busybox"


@given(
    st.sampled_from([b"python", b"java", b"bash", b"perl", b"php", b"deno", b"R", b"ld.so", b"x"]),
    st.lists(st.binary(max_size=6)),
)
def test_any_bytes_have_a_program_and_nothing_is_made_up(interpreter: bytes, words: list[bytes]) -> None:
    command = b"\0".join([interpreter, *words])
    found = program_name(command)
    assert all(name in command for name in found.names)
    assert len(found.short) <= len(command) + 2  # "-mX" becomes "-m X"


@pytest.mark.parametrize("option", ["--inspect-port", "--unhandled-rejections", "--report-directory", "--input-type"])
def test_the_value_of_an_option_of_node_is_not_its_script(option: str) -> None:
    command = b"\0".join([b"node", option.encode(), b"value", b"/srv/server.js", b""])
    assert program_name(command).names == (b"node", b"server.js")


def test_the_python_of_the_system_is_an_interpreter() -> None:
    command = b"/usr/libexec/platform-python3.6\0-Es\0/usr/sbin/tuned\0-l\0"
    assert program_name(command).names == (b"platform-python3.6", b"tuned")
