"""Makes the real files beside it: ``python tests/data/smaps/make.py [NAME]...``, as root.

Each program is started, awaited until it says that it is ready, photographed and ended. Of each process the files
stat, status, smaps, smaps_rollup and the target of exe are kept. Needs gcc, go, java, node, postgres, redis-server.
"""

from __future__ import annotations

import contextlib
import gzip
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

HERE = Path(__file__).parent

THREADS_C = r"""
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
static void *work(void *n) { volatile char *p = malloc(1000 + (long)n); p[0] = 1; pause(); return 0; }
int main(void) {
  pthread_t t;
  char *big = malloc(40 << 20);
  for (long i = 0; i < 10 << 20; i += 4096) big[i] = 1;
  for (long i = 0; i < 6; i++) pthread_create(&t, 0, work, (void *)i);
  sleep(1); puts("ready"); fflush(stdout); pause();
}
"""

SHARED_C = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>
#define MB (1 << 20)
int main(void) {
  int fd = memfd_create("frame buffer", 0);
  ftruncate(fd, 8 * MB);
  memset(mmap(0, 8 * MB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), 1, 6 * MB);
  int id = shmget(IPC_PRIVATE, 4 * MB, 0600);
  memset(shmat(id, 0, 0), 1, 3 * MB);
  shmctl(id, IPC_RMID, 0);
  memset(mmap(0, 2 * MB, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), 1, MB);
  char name[64];
  sprintf(name, "/memtop test %d", getpid());
  fd = shm_open(name, O_CREAT | O_RDWR, 0600);
  ftruncate(fd, 2 * MB);
  memset(mmap(0, 2 * MB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), 1, 2 * MB);
  shm_unlink(name);
  void *code = mmap(0, MB, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memset(code, 0xc3, 4096);
  char *lazy = mmap(0, 16 * MB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memset(lazy, 1, 16 * MB);
  madvise(lazy, 12 * MB, MADV_FREE);
  mmap(0, 1L << 32, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  puts("ready"); fflush(stdout); pause();
}
"""

HUGE_C = r"""
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
int main(void) {
  char *p = mmap(0, 8 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
  if (p == MAP_FAILED) { perror("MAP_HUGETLB"); return 1; }
  memset(p, 1, 4 << 20);
  char *q = mmap(0, 32 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  madvise(q, 32 << 20, MADV_HUGEPAGE);
  memset(q, 1, 16 << 20);
  puts("ready"); fflush(stdout); pause();
}
"""

HELLO_C = r"""
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int main(void) { volatile char *p = malloc(1 << 20); p[5] = 1; puts("ready"); fflush(stdout); pause(); }
"""

SERVICE_GO = """
package main
import ("fmt"; "time")
var live [][]byte
func main() {
	for i := 0; i < 48; i++ { b := make([]byte, 1<<20); for j := range b { b[j] = 1 }; live = append(live, b) }
	for i := 0; i < 100; i++ { go func() { time.Sleep(time.Hour) }() }
	fmt.Println("ready"); time.Sleep(time.Hour); fmt.Println(len(live))
}
"""

SERVICE_JAVA = """
public class Service {
  static byte[][] live = new byte[100][];
  public static void main(String[] a) throws Exception {
    for (int i = 0; i < 100; i++) { live[i] = new byte[1 << 20]; java.util.Arrays.fill(live[i], (byte) 1); }
    System.out.println("ready"); Thread.sleep(3600000);
  }
}
"""

NODE_JS = "let a=[];for(let i=0;i<300000;i++)a.push({i});console.log('ready');setTimeout(()=>a,3600000)"

WORKERS_PY = """
import os, sys, time
rows = [str(i) * 3 for i in range(200000)]
workers = []
for n in range(3):
    pid = os.fork()
    if not pid:
        if n: [row for row in rows]  # reading counts references, which writes
        os.write(1, b"worker\\n"); time.sleep(3600); os._exit(0)
    workers.append(pid)
time.sleep(1); print("ready", *workers, flush=True); time.sleep(3600)
"""


def keep(name: str, pid: int) -> None:
    """Keep the files of one process."""
    room = HERE / name
    shutil.rmtree(room, ignore_errors=True)
    room.mkdir()
    for file in ("stat", "status", "smaps", "smaps_rollup"):
        data = Path(f"/proc/{pid}/{file}").read_bytes()
        if file == "smaps":
            (room / "smaps.gz").write_bytes(gzip.compress(data, 9, mtime=0))
        else:
            (room / file).write_bytes(data)
    (room / "exe").write_bytes(bytes(Path(f"/proc/{pid}/exe").readlink()))
    print(f"{name}: {pid}")


@contextlib.contextmanager
def running(command: list[str], ready: bytes = b"ready", **how: object) -> Iterator[tuple[int, bytes]]:
    """A program from the moment it says ``ready``; it and its children are ended afterwards."""
    process = subprocess.Popen(  # type: ignore[call-overload]
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True, **how
    )
    try:
        line = process.stdout.readline()
        while line and ready not in line:
            line = process.stdout.readline()
        if not line:
            raise SystemExit(f"{command[0]} ended before it was ready")
        yield process.pid, line
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        process.stdout.close()


def compiled(room: Path, source: str, *flags: str) -> list[str]:
    """A C program."""
    (room / "program.c").write_text(source)
    subprocess.run(["gcc", "-O1", "-w", *flags, "-o", room / "program", room / "program.c", "-pthread"], check=True)
    return [str(room / "program")]


def c_program(name: str, source: str, *flags: str) -> Callable[[Path], None]:
    def make(room: Path) -> None:
        with running(compiled(room, source, *flags)) as (pid, _):
            keep(name, pid)

    return make


def go(room: Path) -> None:
    (room / "service.go").write_text(SERVICE_GO)
    environment = {**os.environ, "GOCACHE": str(room / "cache"), "CGO_ENABLED": "0", "GO111MODULE": "off"}
    subprocess.run(["go", "build", "-o", "service", "service.go"], cwd=room, env=environment, check=True)
    with running([str(room / "service")]) as (pid, _):
        keep("go", pid)


def jvm(room: Path) -> None:
    (room / "Service.java").write_text(SERVICE_JAVA)
    with running(["java", "-Xmx1g", str(room / "Service.java")]) as (pid, _):
        keep("jvm", pid)


def zgc(room: Path) -> None:
    (room / "Service.java").write_text(SERVICE_JAVA)
    with running(["java", "-Xmx1g", "-XX:+UseZGC", str(room / "Service.java")]) as (pid, _):
        keep("jvm_zgc", pid)


def node(_: Path) -> None:
    with running(["node", "-e", NODE_JS]) as (pid, _line):
        keep("node", pid)


def workers(_: Path) -> None:
    with running(["/usr/bin/python3", "-c", WORKERS_PY]) as (pid, line):
        for name, one in zip(("parent", "shares", "read", "read_too"), [pid, *map(int, line.split()[1:])], strict=True):
            keep(f"cpython_{name}", one)


def huge_pages(room: Path) -> None:
    knob = Path("/proc/sys/vm/nr_hugepages")
    before = knob.read_text()
    try:
        knob.write_text("8")
        c_program("huge_pages", HUGE_C)(room)
    finally:
        knob.write_text(before)


def postgres(room: Path) -> None:
    tools = max(Path("/usr/lib/postgresql").glob("*/bin"))
    room.chmod(0o755)
    data = room / "data"
    data.mkdir()
    shutil.chown(data, "postgres", "postgres")
    data.chmod(0o700)
    user: dict[str, object] = {"user": "postgres", "group": "postgres", "cwd": data}
    subprocess.run([tools / "initdb", "-D", data, "-A", "trust"], check=True, stdout=subprocess.DEVNULL, **user)  # type: ignore[call-overload]
    options = ["-c", "shared_buffers=128MB", "-c", "listen_addresses=", "-c", f"unix_socket_directories={data}"]
    with running([str(tools / "postgres"), "-D", str(data), *options], b"ready to accept", **user) as (pid, _):
        client = subprocess.Popen(
            ["psql", "-h", data, "-qAt", "postgres"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            **user,  # type: ignore[call-overload]
        )
        client.stdin.write(
            b"create table t as select generate_series(1,400000) n, md5(random()::text) m; analyze t;"
            b"select count(*), max(m) from t; select pg_backend_pid();\n"
        )
        client.stdin.flush()
        client.stdout.readline()
        backend = int(client.stdout.readline())
        keep("postgres", pid)
        keep("postgres_backend", backend)
        client.stdin.close()
        client.wait(10)


def redis(room: Path) -> None:
    options = [
        "--port",
        "0",
        "--unixsocket",
        str(room / "s"),
        "--dir",
        str(room),
        "--save",
        "",
        "--rdb-key-save-delay",
        "100",
        "--enable-debug-command",
        "yes",
    ]
    with running(["redis-server", *options], b"eady to accept") as (pid, _):
        ask = ["redis-cli", "-s", str(room / "s")]
        subprocess.run([*ask, "debug", "populate", "200000", "key", "200"], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([*ask, "bgsave"], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([*ask, "debug", "populate", "20000", "more", "200"], check=True, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        children = ""
        while not children and time.monotonic() < deadline:
            children = "".join(task.read_text() for task in Path(f"/proc/{pid}/task").glob("*/children"))
        keep("redis", pid)
        keep("redis_bgsave", int(children.split()[0]))


MAKERS: dict[str, Callable[[Path], None]] = {
    "threads": c_program("threads", THREADS_C),
    "shared": c_program("shared", SHARED_C),
    "asan": c_program("asan", HELLO_C, "-fsanitize=address"),
    "static_pie": c_program("static", HELLO_C, "-static"),
    "huge_pages": huge_pages,
    "go": go,
    "jvm": jvm,
    "jvm_zgc": zgc,
    "node": node,
    "cpython": workers,
    "postgres": postgres,
    "redis": redis,
}

if __name__ == "__main__":
    for wanted in sys.argv[1:] or MAKERS:
        with tempfile.TemporaryDirectory(prefix="memtop-") as room:
            MAKERS[wanted](Path(room))
