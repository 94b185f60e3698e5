"""The machine's own addresses: whichever it has, each can be listened on, and so be typed."""

import ipaddress
import socket
from pathlib import Path

import pytest

from indiflask.links import addresses
from indiflask.links.addresses import ipv4_addresses, ipv6_addresses, reachable

TABLE = """\
fd000000000000000000000000000002 04 40 00 82     eth0
20010db8000000000000000000000007 04 40 00 01     eth0
20010db8000000000000000000000008 04 40 00 20     eth0
00000000000000000000000000000001 01 80 10 80       lo
fe8000000000000000fc00fffe000001 04 40 20 80     eth0
"""


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "10.1.2.3", "fe80::1%eth0"])
def test_an_address_is_reached_at_itself(host: str) -> None:
    assert reachable(host) == [host]


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_of_a_wildcard_each_address_is_one_of_this_machine(host: str) -> None:
    found = reachable(host)
    assert found[-1] == "127.0.0.1"
    assert len(set(found)) == len(found)
    for one in found:
        family = socket.AF_INET6 if ":" in one else socket.AF_INET
        socket.create_server((one, 0), family=family).close()


def test_libindis_tools_need_ipv4_first() -> None:
    versions = [ipaddress.ip_address(one).version for one in reachable("::")[:-1]]
    assert versions == sorted(versions)
    assert all(ipaddress.ip_address(one).version == 4 for one in reachable("0.0.0.0"))


def test_of_ipv6_only_what_lasts_and_needs_no_interface(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.joinpath("if_inet6").write_text(TABLE)
    monkeypatch.setattr(addresses, "IF_INET6", tmp_path / "if_inet6")
    monkeypatch.setattr(addresses, "_towards_the_world", lambda family: "")
    assert ipv6_addresses() == ["fd00::2"]


def test_without_a_way_to_the_world_there_are_still_the_interfaces(monkeypatch: pytest.MonkeyPatch) -> None:
    before = ipv4_addresses()
    monkeypatch.setattr(addresses, "_towards_the_world", lambda family: "")
    assert set(ipv4_addresses()) >= set(before)


def test_without_ipv6_there_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(addresses, "IF_INET6", tmp_path / "missing")
    monkeypatch.setattr(addresses, "_towards_the_world", lambda family: "")
    assert ipv6_addresses() == []
