"""``indiflask run`` and its children: what becomes of clients, of other targets and of the machine when one fails."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.kit import Bench, Mirror, app, kill, runs, until
from tests.peers import INDIFLASK, free_port, started

DO = """
@app.text("DO", when="always")
def do(what: str = "") -> None:
    exec(what)
"""
"""It does what it is told, in its process."""

WAIT = """
while os.path.exists(__file__ + ".wait"):
    time.sleep(0.02)
"""
"""Its import hangs as long as there is this file."""

SEND_NONSENSE = "os.write(int(sys.orig_argv[sys.orig_argv.index('--socket') + 1]), b'<x')"


def hang_next_time(serve: Bench) -> Path:
    path = Path(f"{serve.file}.wait")
    path.touch()
    return path


def end(client: Mirror, deed: str = "os._exit(3)") -> None:
    client.until_defined("D.DO")
    client.ask("D.DO", what=deed)


def test_the_parent_never_imports_an_app(serve: Bench) -> None:
    program, client = serve(app())
    assert serve.imports == [client.until_running()]
    assert serve.imports != [program.process.pid]


# --- ends that nobody wanted ---


@pytest.mark.parametrize(
    "deed, why",
    [
        ("os._exit(3)", "it ended with exit code 3"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "it was ended by SIGSEGV"),
        ("os.kill(os.getpid(), signal.SIGRTMIN + 1)", "it was ended by signal 35"),
        ("os.kill(os.getpid(), signal.SIGTERM)", "it ended with exit code 0"),
        (SEND_NONSENSE, "it said what is no INDI"),
        ("app.message('hello'); time.sleep(0.1); os._exit(3)", "it ended with exit code 3"),
        ("subprocess.Popen(['sleep', '100']); os.fork() or time.sleep(100); os._exit(3)", "it ended with exit code 3"),
    ],
    ids=lambda text: text[:40],
)
def test_an_end_is_told_and_mended_and_concerns_nobody_else(serve: Bench, deed: str, why: str) -> None:
    program, client = serve(app(DO), serve.other)
    first, other = client.until_running(), client.until_running(device="E")
    client.take()
    end(client, deed)
    client.until_told(f"d is not running: {why}")
    client.until_running(not_pid=first)
    client.until_states("Idle", "Ok")
    assert client.until_running(device="E") == other
    assert [said for said in client.take() if " E." in said] == []
    assert client.faults == []
    assert f"d: {why}" in program.output
    assert "it is started again in 0.2 s" in program.output


def test_while_it_is_away_its_properties_are_in_alert(serve: Bench) -> None:
    _, client = serve(app(WAIT))
    client.until_running()
    wait = hang_next_time(serve)
    kill(client.until_running())
    client.until_states("Alert")
    serve.until_imported(2)
    client.ask("D.CONNECTION", DISCONNECT="On")  # it waits for the process that starts now
    wait.unlink()
    client.until_value("D.CONNECTION.DISCONNECT", "On")
    assert client.faults == []


def test_a_hang_at_the_start_is_ended_and_tried_again(serve: Bench) -> None:
    program, client = serve(app(WAIT + DO), "--start-timeout", "2")
    first = client.until_running()
    wait = hang_next_time(serve)
    end(client)
    client.until_told("d is not running: it did not start within 2 s")
    assert client.states == {"Alert"}
    wait.unlink()
    client.until_running(not_pid=first)
    client.until_states("Idle", "Ok")
    assert "it did not start within 2 s" in program.output


def test_after_so_many_restarts_it_is_given_up_and_the_others_go_on(serve: Bench) -> None:
    fails = "\nif len(open(__file__ + '.pids').readlines()) > 1: os._exit(3)\n"
    program, client = serve(app(fails + DO), serve.other, "--restarts", "2")
    other = client.until_running(device="E")
    end(client)
    client.until(lambda: "D.PID" not in client.properties, "it is not given up")
    assert len(serve.imports) == 3
    assert client.until_running(device="E") == other
    waits = [line for line in program.output.splitlines() if "started again" in line]
    assert [line.rpartition(" in ")[2] for line in waits] == ["0.2 s", "1 s"]
    assert "d is given up: it ended with exit code 3" in program.output


def test_one_that_was_given_up_is_no_failure_at_the_end(serve: Bench) -> None:
    program, client = serve(app(DO), serve.other, "--restarts", "0")
    client.until_running(device="E")
    end(client)
    client.until(lambda: "D.PID" not in client.properties, "it is not given up")
    assert program.stop() == 0
    assert "indiflask: stopped" in program.output


def test_when_the_last_one_is_given_up_it_ends(serve: Bench) -> None:
    program, client = serve(app(DO), "--restarts", "0")
    end(client)
    assert program.wait() == 1
    assert "indiflask: d ended 1 times: it ended with exit code 3" in program.output


def test_one_whose_connecting_ends_it_comes_up_without(serve: Bench) -> None:
    connection = """
@app.connection()
def hardware() -> Iterator[None]:
    if os.path.exists(__file__ + ".broken"):
        os._exit(3)
    yield
"""
    _, client = serve(app(DO + connection))
    first = client.until_running()
    client.ask("D.CONNECTION", CONNECT="On")
    client.until_value("D.CONNECTION.CONNECT", "On")
    Path(f"{serve.file}.broken").touch()
    end(client)
    client.until_running(not_pid=first)
    client.until_value("D.CONNECTION.DISCONNECT", "On")
    assert len(serve.imports) == 3  # the second one tried to connect


# --- what it prints ---


def test_what_it_prints_bears_its_name(serve: Bench) -> None:
    program, client = serve(app('print("loaded")\n' + DO))
    end(client, "print('x' * 3_000_000); print('after'); 1 / 0")
    program.wait_for_output("d | ZeroDivisionError: division by zero")
    lines = program.output.splitlines()
    assert "d | loaded" in lines
    assert "d | after" in lines
    [cut] = [line for line in lines if "xxx" in line]
    assert cut == "d | " + "x" * 2000 + " …"


def test_nobody_need_read_what_it_says(serve: Bench) -> None:
    serve.file.write_text(app(DO))
    port = free_port()
    command = [str(INDIFLASK), "run", str(serve.file), "--port", str(port)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        try:
            assert process.stderr
            while b"Ctrl-C" not in process.stderr.readline():
                pass
            process.stderr.close()
            with Mirror(port) as client:
                end(client, "print('nobody hears this')")
                client.until_state("D.DO", "Ok")
        finally:
            process.kill()


# --- no orphans ---

GONE_SECONDS = 2
"""The second that is promised, and one for a busy machine."""
HANG = "time.sleep(100)"
LEAVE = "subprocess.Popen(['sleep', '100'])"


def left_over(group: int) -> list[int]:
    """Processes of a child's group, which is called like the child."""
    found = subprocess.run(["pgrep", "-g", str(group)], capture_output=True, text=True, check=False)
    return [int(pid) for pid in found.stdout.split() if runs(int(pid))]


@pytest.mark.parametrize("deed", ["pass", HANG, LEAVE, f"{LEAVE}; {HANG}"])
def test_kill_of_the_parent_ends_the_child(serve: Bench, deed: str) -> None:
    program, client = serve(app(DO))
    child = client.until_running()
    client.until_defined("D.DO")
    client.ask("D.DO", what=deed)
    client.until_state("D.DO", "Ok", "Busy")
    kill(program.process.pid)
    until(lambda: not left_over(child), lambda: f"{left_over(child)} are left", GONE_SECONDS)


def test_kill_of_the_parent_ends_a_child_that_hangs_in_import(serve: Bench) -> None:
    serve.file.write_text(app(WAIT))
    hang_next_time(serve)
    with started(INDIFLASK, "run", serve.file, "--port", "0") as program:
        child = serve.until_imported(1)
        assert runs(child)
        kill(program.process.pid)
        until(lambda: not runs(child), lambda: f"{child} is left", GONE_SECONDS)


# --- ending ---

DEAF = """
@app.task(when="always")
async def be_deaf() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("DEAF")
    import anyio
    await anyio.sleep_forever()
"""


@pytest.mark.parametrize(
    "source", [app(DEAF), app("threading.Thread(target=time.sleep, args=[100]).start()")], ids=["deaf", "with a thread"]
)
def test_a_child_that_does_not_end_is_killed_in_time(serve: Bench, source: str) -> None:
    program, client = serve(source, "--stop-timeout", "1")
    child = client.until_running()
    if source == app(DEAF):
        program.wait_for_output("DEAF")
    begun = time.monotonic()
    program.process.send_signal(signal.SIGINT)
    assert program.wait() == 0
    assert 1 <= time.monotonic() - begun < 3
    assert not runs(child)
    assert "d did not end within 1 s: it is killed" in program.output


def test_ending_while_a_child_hangs_in_import(serve: Bench) -> None:
    serve.file.write_text(app(WAIT))
    hang_next_time(serve)
    with started(INDIFLASK, "run", serve.file, "--port", "0") as program:
        child = serve.until_imported(1)
        assert program.stop() == 0
        assert not runs(child)


def test_what_a_child_has_started_ends_with_it(serve: Bench) -> None:
    program, client = serve(app(DO))
    child = client.until_running()
    end(client, LEAVE)
    until(lambda: len(left_over(child)) == 2, lambda: f"{left_over(child)}")
    program.stop()
    assert left_over(child) == []
