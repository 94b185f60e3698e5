"""``indiflask run --reload``: save the file, and clients, still connected, see what differs and nothing else."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.cli.kit import ASK, Bench, Mirror, app, descriptors, kill, save, until
from tests.peers import EXAMPLES, HERE, Program, indi_getprop, started

NUMBER = """
@app.number("N", min=0, max={max}, when="always")
async def n(x: float = {value}) -> None: ...
"""
SWITCH = """
@app.switch("{name}", when="always")
async def s(on: bool) -> None: ...
"""
CONNECTION = """
@app.connection()
def hardware() -> Iterator[int]:
    yield 1

@app.number("GAIN", save=True)
async def gain(x: float = 10) -> None: ...
"""


def number(value: float = 1, max: float = 9) -> str:
    return NUMBER.format(value=value, max=max)


def limit_of_n(client: Mirror) -> str:
    return str(client.properties["D.N"]["members"]["x"]["max"]) if "D.N" in client.properties else ""


def connect(client: Mirror) -> None:
    client.ask("D.CONNECTION", CONNECT="On")
    client.until_value("D.CONNECTION.CONNECT", "On")
    client.until_state("D.CONNECTION", "Ok")


# --- what clients see ---


def test_clients_see_what_differs_and_nothing_else(serve: Bench) -> None:
    same, gone, new = SWITCH.format(name="SAME"), SWITCH.format(name="GONE"), SWITCH.format(name="NEW")
    _, client = serve(app(number() + same + gone), "--reload")
    first = client.until_running()
    client.until_defined("D.GONE")
    client.take()
    save(serve.file, app(number(max=5) + same + new))
    client.until_running(not_pid=first)
    client.until(lambda: "D.GONE" not in client.properties, "not deleted")
    heard = client.take()
    assert [said for said in heard if not said.startswith("set")] == ["del D.N", "def D.N", "def D.NEW", "del D.GONE"]
    assert limit_of_n(client) == "5"
    assert client.faults == []


def test_a_new_first_value_is_news(serve: Bench) -> None:
    _, client = serve(app(number(1)), "--reload")
    client.until_value("D.N.x", "1")
    client.take()
    save(serve.file, app(number(2)))
    client.until_value("D.N.x", "2")
    assert {said[:3] for said in client.take()} == {"set"}


def test_a_device_that_was_connected_is_connected_first(serve: Bench) -> None:
    _, client = serve(app(CONNECTION), "--reload")
    first = client.until_running()
    connect(client)
    client.until_defined("D.GAIN")
    client.ask("D.GAIN", x="20")
    client.until(lambda: client.value("D.GAIN.x") == "20" and client.state("D.GAIN") == "Ok", "not set")
    client.take()
    save(serve.file, app(CONNECTION + number()))
    client.until_defined("D.N")
    second = client.until_running(not_pid=first)
    assert [said for said in client.take() if not said.startswith("set")] == ["def D.N"]
    assert client.value("D.CONNECTION.CONNECT") == "On"
    assert client.value("D.GAIN.x") == "20"
    save(serve.file, app(CONNECTION))
    client.until_running(not_pid=second)
    assert client.value("D.CONNECTION.CONNECT") == "On"


def test_one_that_was_not_connected_stays_so(serve: Bench) -> None:
    _, client = serve(app(CONNECTION), "--reload")
    first = client.until_running()
    save(serve.file, app(CONNECTION))
    client.until_running(not_pid=first)
    assert client.value("D.CONNECTION.DISCONNECT") == "On"


def test_a_request_that_comes_meanwhile_waits(serve: Bench) -> None:
    _, client = serve(app(number()), "--reload")
    client.until_defined("D.N")
    wait = serve.folder / "wait"
    wait.touch()
    save(serve.file, app(number() + f"while os.path.exists({str(wait)!r}): time.sleep(0.02)"))
    serve.until_imported(2)
    client.ask("D.N", x="7")
    wait.unlink()
    client.until_value("D.N.x", "7")


# --- what does not load ---


def test_a_file_that_does_not_compile_is_not_loaded(serve: Bench) -> None:
    program, client = serve(app(number()), "--reload")
    first = client.until_running()
    save(serve.file, app(number()) + "def broken(:\n")
    client.until_told("d.py, line")
    line = app(number()).count("\n") + 1
    assert f"d.py, line {line}: invalid syntax: def broken(:" in program.output
    client.ask("D.N", x="7")
    client.until_value("D.N.x", "7")
    assert serve.imports == [first]
    save(serve.file, app(number(max=5)))
    client.until_running(not_pid=first)


@pytest.mark.parametrize("wrong", ["1 / 0", "import nowhere_to_be_found", "app.switch('X')(lambda on: None)"])
def test_one_that_fails_at_import_leaves_its_properties_in_alert(serve: Bench, wrong: str) -> None:
    program, client = serve(app(CONNECTION), "--reload")
    first = client.until_running()
    connect(client)
    line = app(CONNECTION).count("\n") + 1
    save(serve.file, app(CONNECTION) + wrong)
    client.until_told(f"d.py:{line}")
    client.until_states("Alert")
    assert f"d.py:{line}" in program.output
    late = serve.client(program)
    late.until(lambda: set(late.properties) == set(client.properties), "a new client does not get them")
    assert late.states == {"Alert"}
    save(serve.file, app(CONNECTION))
    client.until_running(not_pid=first)
    client.until_states("Idle", "Ok")
    assert client.value("D.CONNECTION.CONNECT") == "On"
    assert client.faults == []


def test_one_that_never_loaded_is_loaded_once_it_is_mended(serve: Bench) -> None:
    serve.file.write_text("1 / 0\n")
    program = serve.run("--reload")
    program.wait_for_output("d.py:1")
    with serve.client(program) as client:
        save(serve.file, app())
        client.until_running()


def test_one_that_was_given_up_is_loaded_once_it_is_mended(serve: Bench) -> None:
    serve.file.write_text("import os\nos._exit(3)\n")
    program = serve.run("--reload", "--restarts", "0")
    program.wait_for_output("d: it ended with exit code 3\n  it is loaded again when a file changes")
    with serve.client(program) as client:
        save(serve.file, app())
        client.until_running()


# --- what is watched ---


def test_ten_saves_make_one_or_two_reloads(serve: Bench) -> None:
    _, client = serve(app(number()), "--reload")
    for limit in range(10, 20):
        save(serve.file, app(number(max=limit)))
        time.sleep(0.09)
    client.until(lambda: limit_of_n(client) == "19", "the last one is not loaded")
    time.sleep(1.5)  # what would come too late
    client.update()
    assert len(serve.imports) in {2, 3}


def test_a_module_that_it_imports_is_loaded_anew_too(serve: Bench) -> None:
    part = serve.folder / "part.py"
    part.write_text("VALUE = 1\n")
    _, client = serve(app("from part import VALUE\n" + NUMBER.format(max=9, value="VALUE")), "--reload")
    client.until_value("D.N.x", "1")
    for value in "2345":  # of one size, and within a second: a stale .pyc would be taken for the newest
        save(part, f"VALUE = {value}\n")
        client.until_value("D.N.x", value)


BROKEN = "def broken(:\n"
"""Whoever takes note of this loads nothing from then on."""


@pytest.mark.parametrize("name", [".venv", "venv", ".git", "node_modules", "__pycache__", "env/lib/site-packages"])
def test_environments_and_tools_are_not_watched(serve: Bench, name: str) -> None:
    (serve.folder / name).mkdir(parents=True)
    _, client = serve(app(), "--reload")
    first = client.until_running()
    save(serve.folder / name / "other.py", BROKEN)
    (serve.folder / "notes.txt").write_text(BROKEN)
    save(serve.file, app(number()))
    client.until_running(not_pid=first)


def test_a_project_that_lies_in_an_environment_is_watched(serve: Bench) -> None:
    serve.file = serve.folder / ".venv" / "d.py"
    serve.file.parent.mkdir()
    _, client = serve(app(), "--reload")
    first = client.until_running()
    save(serve.file, app())
    client.until_running(not_pid=first)


def test_reload_dir_is_watched_instead(serve: Bench) -> None:
    for name in ("one", "two"):
        (serve.folder / name).mkdir()
    options = [f"--reload-dir={serve.folder / name}" for name in ("one", "two")]
    _, client = serve(app(), *options)
    pid = client.until_running()
    save(serve.file, BROKEN)
    save(serve.file, app())
    for name in ("one", "two"):
        save(serve.folder / name / "part.py", "")
        pid = client.until_running(not_pid=pid)
    assert len(serve.imports) == 3


def test_only_the_target_that_was_saved_is_loaded_anew(serve: Bench) -> None:
    _, client = serve(app(), serve.other, "--reload")
    pid, other = client.until_running(), client.until_running(device="E")
    save(serve.other, app(device="E"))
    other = client.until_running(not_pid=other, device="E")
    save(serve.file, app("import e" + number()))  # from now on the other's file is one of its own
    client.until_defined("D.N")
    assert len(serve.imports) == 2
    pid = client.until_running(not_pid=pid)
    save(serve.other, app(device="E"))
    client.until_running(not_pid=other, device="E")
    client.until_running(not_pid=pid)


# --- the old one ends before the new one begins ---

HANG = """
@app.text("HANG", when="always")
def hang(x: str = "") -> None:
    print("HANGING")
    time.sleep(100)
"""


def test_a_handler_that_hangs_does_not_stop_a_reload(serve: Bench) -> None:
    program, client = serve(app(HANG), "--reload", "--stop-timeout", "1")
    first = client.until_running()
    client.until_defined("D.HANG")
    client.ask("D.HANG", x="now")
    program.wait_for_output("HANGING")
    begun = time.monotonic()
    save(serve.file, app(HANG))
    client.until_running(not_pid=first)
    assert time.monotonic() - begun < 8
    client.until_state("D.HANG", "Idle")


def test_ending_takes_no_time_though_files_are_watched(serve: Bench) -> None:
    program, _ = serve(app(), "--reload")
    begun = time.monotonic()
    assert program.stop() == 0
    assert time.monotonic() - begun < 3


PINS = """
from gpiozero import Device, LED
from gpiozero.pins.mock import MockFactory, MockPin

class Pin(MockPin):
    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        with open(__file__ + ".pins", "a") as log:
            print("open", os.getpid(), file=log)

    def close(self):
        super().close()
        with open(__file__ + ".pins", "a") as log:
            print("close", os.getpid(), file=log)

Device.pin_factory = MockFactory(pin_class=Pin)
lamp = LED(17)
"""


def test_pins_are_closed_before_they_are_opened_again(serve: Bench) -> None:
    _, client = serve(app(PINS), "--reload")
    first = client.until_running()
    save(serve.file, app(PINS))
    second = client.until_running(not_pid=first)
    said = Path(f"{serve.file}.pins").read_text().splitlines()
    assert (said[0], said[-1]) == (f"open {first}", f"open {second}")
    assert set(said[1:-1]) == {f"close {first}"}


PORT = """
import fcntl

def opened():
    port = os.open({place!r}, os.O_RDWR | os.O_NOCTTY)
    fcntl.flock(port, fcntl.LOCK_EX | fcntl.LOCK_NB)  # as pyserial's exclusive=True does
    return port
"""
OPENED_WHEN_CONNECTED = """
@app.connection(lost=OSError)
def hardware() -> Iterator[int]:
    port = opened()
    yield port
    time.sleep(0.3)  # closing takes its time
    os.close(port)
"""


@pytest.fixture
def serial_port() -> Iterator[str]:
    ours, theirs = os.openpty()
    yield os.ttyname(theirs)
    os.close(ours)
    os.close(theirs)


@pytest.mark.parametrize("way", ["at import", "when connected"])
def test_a_serial_port_is_closed_before_it_is_opened_again(serve: Bench, serial_port: str, way: str) -> None:
    port = PORT.format(place=serial_port)
    source = app(port + "port = opened()" if way == "at import" else port + OPENED_WHEN_CONNECTED)
    program, client = serve(source, "--reload")
    if way == "when connected":
        connect(client)
    pid = client.until_running()
    for _ in range(2):
        save(serve.file, source)
        pid = client.until_running(not_pid=pid)
        assert client.state("D.CONNECTION") == "Ok"
        assert client.value("D.CONNECTION.CONNECT") == "On"
    assert "Alert" not in client.states
    assert "Resource temporarily unavailable" not in program.output


# --- as users do it ---


def copy_of(serve: Bench, example: str) -> str:
    """An example's source, to be served as ``d.py`` beside what it imports, and with D for its device."""
    shutil.copy(EXAMPLES / "simulated.py", serve.folder)
    source = (EXAMPLES / example).read_text()
    return source.replace('App("Camera"', 'App("D"').replace('App("Mount"', 'App("D"')


def beside(source: str, more: str) -> str:
    """The source with something more where its app has been made."""
    made = source.index("app = App")
    end = source.index("\n", made) + 1
    return source[:end] + more + source[end:]


MOUNT_PID = 'app.published("PID", str, when="always").publish(str(__import__("os").getpid()))\n'


def test_kill_of_a_mount_during_a_slew(serve: Bench) -> None:
    source = copy_of(serve, "mount.py").replace('@app.switch("ON_COORD_SET")', '@app.switch("ON_COORD_SET", save=True)')
    _, client = serve(beside(source, MOUNT_PID))
    first = client.until_running()
    connect(client)
    client.until_defined("D.TELESCOPE_ABORT_MOTION")
    client.ask("D.ON_COORD_SET", SLEW="On")
    client.ask("D.TELESCOPE_PARK", UNPARK="On")
    client.until_value("D.TELESCOPE_PARK.UNPARK", "On")
    client.ask("D.CONFIG_PROCESS", CONFIG_SAVE="On")
    client.until_state("D.CONFIG_PROCESS", "Ok")
    client.ask("D.EQUATORIAL_EOD_COORD", RA="12", DEC="-80")
    client.until_state("D.EQUATORIAL_EOD_COORD", "Busy")
    kill(first)
    client.until_told("d is not running: it was ended by SIGKILL")
    client.until_running(not_pid=first)
    client.until_state("D.CONNECTION", "Ok")
    assert client.value("D.CONNECTION.CONNECT") == "On"
    client.until_value("D.ON_COORD_SET.SLEW", "On")
    client.until_state("D.EQUATORIAL_EOD_COORD", "Idle")
    assert client.faults == []


RELOADS = 20


def camera(source: str, version: int) -> str:
    """The camera with a limit that changes, properties that come and go, and a value that tells its version."""
    more = f'app.published("VERSION", float, when="always").publish({version})\n'
    more += "".join(f'app.published("EXTRA{one}", str)\n' for one in range(version % 4))
    return beside(source.replace("max=100", f"max={100 + version // 2}"), more)


def version_by_libindi(program: Program) -> str:
    return indi_getprop(program.port, "D.VERSION.VERSION", "D.CCD_GAIN.GAIN")["D.VERSION.VERSION"]


def shown_by_libindi(watching: Program) -> dict[str, str]:
    """The last that was printed of each member."""
    return dict(line.split("=", 1) for line in watching.output.splitlines() if "=" in line)


def values(client: Mirror) -> dict[str, str]:
    """By ``"D.PROPERTY.MEMBER"``. BLOBs have none."""
    return {
        f"{name}.{member}": one["value"]
        for name, there in client.properties.items()
        for member, one in there["members"].items()
        if there["kind"] != "BLOB"
    }


def test_kstars_stays_through_twenty_reloads_in_the_middle_of_exposures(serve: Bench, cleanup: ExitStack) -> None:
    """Its main connection takes no BLOBs. One more for each BLOB property does; another client takes everything. And
    libindi's own ``indi_getprop -m`` prints whatever it is told.
    """
    source = copy_of(serve, "camera.py")
    serve.file.write_text(camera(source, 0))
    program = serve.run("--reload")
    main = serve.client(program)
    main.until_defined("D.CONNECTION")
    connect(main)
    main.until_defined("D.CCD_TEMPERATURE")
    main.say('<enableBLOB device="D">Never</enableBLOB>')
    of_ccd1 = '<getProperties version="1.7" device="D"/>', '<enableBLOB device="D" name="CCD1">Only</enableBLOB>'
    others = [serve.client(program, *of_ccd1), serve.client(program, ASK, '<enableBLOB device="D">Also</enableBLOB>')]
    for other in others:
        other.until_like(main)
    assert version_by_libindi(program) == "0"
    command = "stdbuf", "-oL", "indi_getprop", "-h", HERE, "-p", str(program.port), "-t", "60", "-m", "D.*.*"
    watching = cleanup.enter_context(started(*command, cwd=serve.folder))
    watching.wait_for_output("D.VERSION.VERSION=0")
    open_before = descriptors(program)
    for version in range(1, RELOADS + 1):
        main.ask("D.CCD_EXPOSURE", CCD_EXPOSURE_VALUE="100")
        main.until_state("D.CCD_EXPOSURE", "Busy")
        save(serve.file, camera(source, version))
        main.until_value("D.VERSION.VERSION", str(version))
        main.until_state("D.CCD_EXPOSURE", "Idle")
    main.ask("D.CCD_EXPOSURE", CCD_EXPOSURE_VALUE="0.01")
    main.until_state("D.CCD_EXPOSURE", "Ok")
    fresh = serve.client(program)
    fresh.until_defined("D.CCD_TEMPERATURE")
    for client in (main, *others):
        client.until_like(fresh)
        assert client.faults == []
    assert [client.blobs for client in (main, *others)] == [0, 1, 1]
    assert version_by_libindi(program) == str(RELOADS)
    assert values(fresh).items() <= shown_by_libindi(watching).items()
    assert (serve.folder / "D.CCD1.CCD1.fits").stat().st_size > 640 * 480 * 2
    until(lambda: descriptors(program) <= open_before + 2, lambda: f"{descriptors(program)} are open")  # two clients
