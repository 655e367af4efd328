"""Metrics for Prometheus: bounded, named by its conventions, harmless under hostile names and clients."""

from __future__ import annotations

import http.client
import json
import re
import select
import shutil
import socket
import subprocess
import sys
import time
from contextlib import closing
from importlib import resources
from pathlib import Path
from types import SimpleNamespace

import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families

from memtop.cli import run
from memtop.columns import columns_of
from memtop.engine.engine import Engine
from memtop.errors import AccessDenied, UsageError
from memtop.export.exposition import Exposition
from memtop.export.labels import HOUR_S, MOST_GROUPS, MOST_NEW, Labels
from memtop.export.metrics import MOST_JUDGED, OTHERS, growing
from memtop.export.server import MOST_CONNECTIONS, Server, address_of
from memtop.export.textfile import write_textfile
from memtop.model.frame import Frame
from memtop.model.group import By
from memtop.settings import Settings
from memtop.view_state import View
from tests.engine.groups.worlds import MIB, cgroup, world
from tests.fakes import MIB_PAGES, FakeProcess, FakeSource

Values = dict[str, dict[str, float]]


def frames(source: FakeSource, times: int = 2) -> list[Frame]:
    engine = Engine(source)
    request = View.of(Settings(by=By.PROGRAM, columns=columns_of(groups=True).defaults)).request()
    found = [engine.step(request) for _ in range(times)]
    return [frame for frame in found if frame is not None]


def exposed(source: FakeSource, times: int = 2) -> Exposition:
    exposition = Exposition()
    for frame in frames(source, times):
        exposition.take(frame)
    return exposition


def families(text: str) -> list[Metric]:
    return list(text_string_to_metric_families(text))


def values(exposition: Exposition) -> Values:
    """Metric name -> group -> value."""
    found: Values = {}
    for family in families(exposition.plain().decode()):
        for sample in family.samples:
            found.setdefault(sample.name, {})[sample.labels.get("group", "")] = sample.value
    return found


def programs(number: int) -> FakeSource:
    return FakeSource(
        *(
            FakeProcess(100 + each, b"p%d" % each, rss_pages=(each + 1) * 16, cmdline=b"/bin/p%d\0" % each)
            for each in range(number)
        )
    )


def test_processes_of_one_program_are_one_group_whatever_their_pids() -> None:
    source = FakeSource(*(FakeProcess(pid, b"api", rss_pages=10 * MIB_PAGES, cmdline=b"/bin/api\0") for pid in (7, 8)))
    found = values(exposed(source))
    assert found["memtop_group_processes"] == {"api": 2.0}
    assert found["memtop_group_resident_bytes"] == {"api": 20.0 * (1 << 20)}
    assert found["memtop_memory_total_bytes"][""] == 1024000 * 1024


@pytest.mark.parametrize("by", [By.PROGRAM, By.CGROUP])
def test_a_leak_among_many_busy_groups_is_confirmed_in_minutes(by: By) -> None:
    source = world(p42="/leaks", **{f"p{pid}": f"/busy{pid}" for pid in range(100, 160)})
    source.step_s = 5.0
    engine, exposition = Engine(source), Exposition()
    request = View.of(Settings(by=by, delay_s=5.0, columns=columns_of(groups=True).defaults)).request()
    for tick in range(60):
        for pid, process in source.processes.items():
            is_leak = pid == 42
            process.cmdline = b"/bin/p%d\0" % pid
            process.rss_pages += 5 * MIB_PAGES if is_leak else MIB_PAGES * (1 if tick % 2 else -1)
            used = 200 + 5 * tick if is_leak else 100 + tick % 2
            cgroup(source, "/leaks" if is_leak else f"/busy{pid}", used, b"%d\n" % (4000 * MIB), anon=used)
        frame = engine.step(request)
        assert frame is not None
        exposition.take(frame)
        request = request._replace(groups=request.groups._replace(judged=growing(frame)))
    found = values(exposition)["memtop_group_growth_confirmed"]
    assert [name for name, value in found.items() if value] == ["p42" if by is By.PROGRAM else "/leaks"]


def test_the_number_of_groups_is_bounded_and_the_rest_is_summed_up() -> None:
    found = values(exposed(programs(3 * MOST_GROUPS)))
    assert len(found["memtop_group_resident_bytes"]) == MOST_GROUPS + 1
    assert found["memtop_group_processes"][OTHERS] == 2 * MOST_GROUPS
    assert sum(found["memtop_group_processes"].values()) == 3 * MOST_GROUPS


def test_what_is_unknown_of_some_of_the_rest_is_no_sum_of_the_others() -> None:
    source = programs(3 * MOST_GROUPS)
    source.files[f"proc/{min(source.processes)}/status"] = b"Name:\tp\n"
    found = values(exposed(source))
    assert OTHERS in found["memtop_group_resident_bytes"]
    assert OTHERS not in found["memtop_group_file_bytes"]


def test_whether_a_limit_could_be_read_is_a_metric() -> None:
    source = world(p42="/a.service", p43="/b.service")
    for name in ("a", "b"):
        cgroup(source, f"/{name}.service", 100)
    source.files["sys/fs/cgroup/b.service/memory.max"] = AccessDenied("memory.max: permission denied")
    exposition, engine = Exposition(), Engine(source)
    request = View.of(Settings(by=By.CGROUP, columns=columns_of(groups=True).defaults)).request()
    for _ in range(2):
        frame = engine.step(request)
        assert frame is not None
        exposition.take(frame)
    found = values(exposition)["memtop_group_limit_read"]
    assert found == {"a.service": 1.0, "b.service": 0.0}


def test_of_the_growing_groups_the_fastest_are_judged_first() -> None:
    source = programs(3 * MOST_JUDGED)
    engine = Engine(source)
    request = View.of(Settings(by=By.PROGRAM, columns=columns_of(groups=True).defaults)).request()
    for _ in range(8):
        for pid, process in source.processes.items():
            process.rss_pages += pid * 16
        frame = engine.step(request)
    assert frame is not None
    judged = growing(frame)
    assert {key.name for key in judged} == {f"p{number}" for number in range(2 * MOST_JUDGED, 3 * MOST_JUDGED)}


def test_a_cgroup_that_the_oom_killer_has_emptied_still_counts_its_kill() -> None:
    engine, exposition = Engine(world(p1="/kept", p2="/job")), Exposition()
    request = View.of(Settings(by=By.CGROUP, columns=columns_of(groups=True).defaults)).request()
    for _ in range(2):
        seen = engine.step(request)
        assert seen is not None
        exposition.take(seen)
    frame = engine.step(request)
    assert frame is not None
    exposition.take(frame)
    assert values(exposition)["memtop_group_oom_kills_total"]["/job"] == 0
    ended = [row._replace(gone_s=frame.at_s, oom_kills=1) if row.name == "/job" else row for row in frame.groups or ()]
    stranger = ended[0]._replace(name="/never-seen", gone_s=frame.at_s, oom_kills=1)
    exposition.take(frame._replace(groups=(*ended, stranger)))
    found = values(exposition)
    assert found["memtop_group_oom_kills_total"]["/job"] == 1
    assert "/job" not in found["memtop_group_resident_bytes"]
    assert "/never-seen" not in found["memtop_group_oom_kills_total"]


def test_groups_of_like_size_keep_their_labels() -> None:
    source = programs(MOST_GROUPS + 10)
    exposition = exposed(source)
    before = set(values(exposition)["memtop_group_processes"])
    for process in source.processes.values():
        process.rss_pages = 5000 - process.rss_pages
    for frame in frames(source):
        exposition.take(frame)
    assert set(values(exposition)["memtop_group_processes"]) == before


def test_a_storm_of_ever_new_names_cannot_flood_a_server() -> None:
    labels, given = Labels(), set[str]()
    for tick in range(200):
        names = [f"storm-{tick // 4}-{number}" for number in range(2 * MOST_GROUPS)]
        chosen = labels.choose(names, 5.0 * tick)
        assert len(chosen) <= MOST_GROUPS
        given.update(chosen)
    assert len(given) == MOST_GROUPS + MOST_NEW
    assert labels.choose(names, 5.0 * tick + HOUR_S), "an hour later new names have labels again"


def test_a_name_that_is_there_for_one_sample_only_has_no_label_and_one_that_comes_back_has_its_own() -> None:
    labels = Labels()
    assert labels.choose(["api"], 0.0) == ["api"]
    assert labels.choose(["api", "once"], 5.0) == ["api"]
    assert labels.choose(["api", "stays"], 10.0) == ["api"]
    assert labels.choose(["stays"], 15.0) == ["stays"]
    assert labels.choose(["api", "stays"], 20.0) == ["stays", "api"], "the server has its series already"


@pytest.mark.parametrize(
    "name",
    [
        b'a"b',
        b"a\\b",
        b"a\nb",
        b"{x=1}",
        b"\xff\xfe",
        "ä".encode(),
        "\u202ea".encode(),
        "\u2028".encode(),
        b'"} 1\n# EOF',
        b"x" * 4096,
    ],
)
def test_no_name_breaks_the_format(name: bytes) -> None:
    source = FakeSource(FakeProcess(7, name, cmdline=name + b"\0"))
    assert len(values(exposed(source))["memtop_group_processes"]) == 1


def scrape(port: int, path: str = "/metrics", accept: str = "") -> tuple[int, str, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    with closing(connection):
        connection.request("GET", path, headers={"Accept": accept} if accept else {})
        answer = connection.getresponse()
        return answer.status, answer.getheader("Content-Type") or "", answer.read().decode()


def test_a_scrape_gets_either_format_and_nothing_else_is_served() -> None:
    with closing(Server(exposed(programs(3)), "127.0.0.1:0")) as server:
        status, content_type, text = scrape(server.port)
        assert status == 200 and content_type.startswith("text/plain") and "memtop_group_processes" in text
        status, content_type, text = scrape(server.port, accept="application/openmetrics-text; version=1.0.0")
        assert content_type.startswith("application/openmetrics-text") and text.endswith("# EOF\n")
        assert any(family.name == "memtop_group_restarts" for family in open_metrics(text))  # type: ignore[no-untyped-call]
        assert scrape(server.port, "/etc/passwd")[0] == 404


def test_clients_that_say_nothing_do_not_keep_others_out_for_long_and_are_bounded() -> None:
    with closing(Server(exposed(programs(1)), "127.0.0.1:0")) as server:
        # all at once: where the queue is full, the kernel tries again after a second
        silent = [socket.create_connection(("127.0.0.1", server.port), 0.9) for _ in range(MOST_CONNECTIONS - 1)]
        assert scrape(server.port)[0] == 200
        one_more = [socket.create_connection(("127.0.0.1", server.port), timeout=5) for _ in range(2)]
        closed, _, _ = select.select(one_more, [], [], 5)  # either, for the place of the scrape may not be free yet
        assert closed and closed[0].recv(1) == b"", "closed at once"
        assert not select.select(silent[:1], [], [], 0)[0], "before the first of those that say nothing"
        for connection in (*silent, *one_more):
            connection.close()


def test_a_port_that_is_taken_is_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        assert run(["export", "--listen", f"127.0.0.1:{port}", "-n", "1"]) == 2
    error = capsys.readouterr().err
    assert "Address already in use" in error and error.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("127.0.0.1:9142", ("127.0.0.1", 9142)),
        (":9142", ("127.0.0.1", 9142)),
        ("0.0.0.0:1", ("0.0.0.0", 1)),
        ("[::1]:9142", ("::1", 9142)),
    ],
)
def test_addresses(text: str, found: tuple[str, int]) -> None:
    assert address_of(text) == found


@pytest.mark.parametrize("text", ["9142", "localhost:9142", "127.0.0.1:70000", "127.0.0.1:", "x"])
def test_wrong_addresses_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        address_of(text)


def test_the_file_for_node_exporter_is_replaced_whole(tmp_path: Path) -> None:
    (tmp_path / "memtop.prom").write_text("old")
    write_textfile(str(tmp_path), exposed(programs(2)).plain())
    assert [path.name for path in tmp_path.iterdir()] == ["memtop.prom"]
    assert families((tmp_path / "memtop.prom").read_text())
    with pytest.raises(UsageError):
        write_textfile(str(tmp_path / "nowhere"), b"")


def test_the_command_writes_what_this_machine_has(tmp_path: Path) -> None:
    assert run(["export", "--textfile", str(tmp_path), "-n", "2", "-d", "0.1"]) == 0
    text = (tmp_path / "memtop.prom").read_text()
    assert "process_resident_memory_bytes" in text, "memtop's own cost"
    groups = {sample.labels.get("by") for family in families(text) for sample in family.samples}
    assert "program" in groups


def test_a_directory_that_is_gone_for_a_while_ends_no_export(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    directory, samples = tmp_path / "d", 0
    directory.mkdir()

    def sleep(seconds: float) -> None:
        nonlocal samples
        samples += 1
        if samples == 1:
            shutil.rmtree(directory)
        elif samples == 3:
            directory.mkdir()

    monkeypatch.setattr("memtop.cli.export.time", SimpleNamespace(sleep=sleep, monotonic=time.monotonic))
    assert run(["export", "--textfile", str(directory), "-n", "5"]) == 0
    assert (directory / "memtop.prom").exists()
    assert capsys.readouterr().err.splitlines() == [
        f"memtop: --textfile: {directory}: No such file or directory; each sample tries again",
        f"memtop: --textfile: {directory}: written again",
    ]


def test_what_was_typed_wrong_is_said_before_anything_is_served(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["export", "--listen", "127.0.0.1:0", "--by", "nosuch"]) == 2
    assert capsys.readouterr().err.startswith("memtop: --by: no kind nosuch")


def test_without_prometheus_client_one_line_says_what_is_missing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("prometheus_client", "memtop.export.exposition", "memtop.export.metrics"):
        monkeypatch.setitem(sys.modules, name, None)
    assert run(["export", "--listen", "127.0.0.1:0", "-n", "1"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("memtop: exporting needs prometheus-client: pip install") and error.count("\n") == 1


@pytest.mark.parametrize(("flag", "name"), [("--rules", "rules.yml"), ("--dashboard", "dashboard.json")])
def test_rules_and_dashboard_are_printed(flag: str, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["export", flag]) == 0
    assert capsys.readouterr().out == resources.files("memtop.export").joinpath("files", name).read_text()


def test_rules_and_dashboard_ask_only_for_metrics_that_are_exported() -> None:
    exported = set(values(exposed(programs(1)))) | {
        f"memtop_group_{name}"
        for name in (
            "time_to_limit_seconds",
            "growth_confirmed",
            "oom_kills_total",
            "working_set_bytes",
            "limit_bytes",
            "room_bytes",
            "growth_bytes_per_second",
        )
    }
    exported |= {"memtop_pressure_full_ratio"}
    files = resources.files("memtop.export").joinpath("files")
    asked = files.joinpath("rules.yml").read_text()
    for panel in json.loads(files.joinpath("dashboard.json").read_text())["panels"]:
        asked += " ".join(target["expr"] for target in panel["targets"])
    asked_for = set(re.findall(r"memtop_[a-z_]+", asked))
    assert {"memtop_group_oom_kills_total", "memtop_group_room_bytes"} <= asked_for <= exported


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_promtool_finds_nothing_wrong_and_the_rules_fire(tmp_path: Path) -> None:
    rules = resources.files("memtop.export").joinpath("files", "rules.yml").read_text()
    (tmp_path / "rules.yml").write_text(rules)
    shutil.copy(Path(__file__).with_name("rules_test.yml"), tmp_path)
    for argv, text in (
        (["promtool", "check", "metrics"], exposed(programs(2)).plain()),
        (["promtool", "test", "rules", "rules_test.yml"], b""),
    ):
        done = subprocess.run(argv, input=text, capture_output=True, cwd=tmp_path, timeout=60, check=False)
        assert done.returncode == 0 and not done.stderr, done.stdout + done.stderr


def test_a_name_of_long_ago_is_a_new_one() -> None:
    labels, storms = Labels(), [[f"{storm}-{number}" for number in range(100)] for storm in range(13)]
    for hour, names in enumerate(storms):
        for sample in (0.0, 1.0):
            chosen = labels.choose(names, 3601.0 * hour + sample)
        assert chosen == names
    assert labels.choose(storms[-2], 3601.0 * 14) == storms[-2], "its series are there already"
    assert labels.choose(storms[0], 3601.0 * 15) == [], "it waits for the next sample"
