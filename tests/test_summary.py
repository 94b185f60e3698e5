"""The lines at the start: they are short, and what they say to type works."""

import re
import shlex

import pytest

from indiflask import summary
from indiflask.summary import WIDTH
from tests import peers
from tests.peers import EXAMPLES

OWN = {"0.0.0.0": ["10.0.0.7", "127.0.0.1"], "::": ["10.0.0.7", "2001:db8::7", "127.0.0.1"]}


@pytest.fixture(autouse=True)
def addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summary, "reachable", lambda host: OWN.get(host, [host]))


def text(address: str = "127.0.0.1:7624", **properties: list[str]) -> str:
    return summary.summary(address, properties)


def test_all_of_it() -> None:
    assert text(Garden=["CONNECTION", "DRIVER_INFO", "LED"]).splitlines() == [
        "indiflask: serving Garden on 127.0.0.1:7624",
        "  Garden: CONNECTION, LED",
        "  see it:   indi_getprop -h 127.0.0.1 -p 7624 'Garden.*.*'",
        "  KStars:   an INDI host, 127.0.0.1 port 7624",
        "  Ctrl-C ends it",
    ]


def test_a_device_that_is_not_connected_is_to_be_connected() -> None:
    assert "  connect:  indi_setprop -h 127.0.0.1 -p 7624 Mount.CONNECTION.CONNECT=On" in text(
        Mount=["CONNECTION", "DRIVER_INFO"]
    )


def test_of_all_addresses_those_that_can_be_typed() -> None:
    shown = text("0.0.0.0:7624", Garden=["LED"])
    assert "serving Garden on 10.0.0.7:7624, 127.0.0.1:7624\n" in shown
    assert "indi_getprop -h 10.0.0.7 -p 7624" in shown
    assert "KStars:   an INDI host, 10.0.0.7 port 7624" in shown
    assert "0.0.0.0" not in shown


def test_of_all_addresses_of_both_kinds_tools_get_ipv4() -> None:
    shown = text("[::]:7624", Garden=["LED"])
    assert "serving Garden on 10.0.0.7:7624, [2001:db8::7]:7624, 127.0.0.1:7624\n" in shown
    assert "indi_getprop -h 10.0.0.7 -p 7624" in shown


def test_libindis_tools_are_not_sent_to_an_ipv6_address() -> None:
    shown = text("[::1]:7624", Garden=["LED"])
    assert "serving Garden on [::1]:7624\n" in shown
    assert "indi_getprop" not in shown
    assert "KStars:   an INDI host, ::1 port 7624" in shown


def test_nothing_is_served_until_it_is_mended() -> None:
    assert text().startswith("indiflask: serving nothing yet on 127.0.0.1:7624\n  KStars")


def test_many_properties_take_three_lines() -> None:
    names = [f"SENSOR_READING_{number}" for number in range(60)]
    lines = text(Many=names, Few=["LED"]).splitlines()
    assert lines[4] == "  Few: LED"
    assert max(map(len, lines)) < WIDTH + len(" and 60 more")
    assert re.search(r"\w, and (\d+) more$", lines[3])
    shown = re.findall(r"SENSOR_READING_\d+", " ".join(lines[1:4]))
    assert shown == names[: len(shown)]
    assert lines[3].endswith(f"and {60 - len(shown)} more")


def test_many_devices_are_counted() -> None:
    lines = summary.summary("127.0.0.1:7624", {f"D{number}": ["LED"] for number in range(30)}).splitlines()
    assert lines[0] == "indiflask: serving D0, D1, D2, D3 and 26 more on 127.0.0.1:7624"
    assert lines[8:10] == ["  D7: LED", "  and 22 more devices"]


def test_a_name_of_several_words_is_quoted() -> None:
    shown = summary.summary("127.0.0.1:7624", {"Bob's Dome": ["SHUTTER"]})
    assert "'Bob'\"'\"'s Dome.*.*'" in shown


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::"])
def test_what_it_says_to_type_works(host: str) -> None:
    with peers.indiflask_run(EXAMPLES / "led.py", "--host", host) as server:
        server.wait_for_output("Ctrl-C")
        [shown] = re.findall(r"see it: +indi_getprop (.*)", server.output)
        *to, pattern = shlex.split(shown)
        asked = pattern.replace("*.*", "LED.on")  # a * waits for more, as long as it may
        assert peers.tool("indi_getprop", server.port, *to, asked, seconds=10).stdout == "Garden.LED.on=Off\n"
