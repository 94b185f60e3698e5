"""Where a listener is reached: of a wildcard address, the machine's own ones that a person can type."""

from __future__ import annotations

import fcntl
import ipaddress
import socket
import struct
from contextlib import suppress
from pathlib import Path

ELSEWHERE = {socket.AF_INET: "198.51.100.1", socket.AF_INET6: "2001:db8::1"}
"""Addresses from the documentation's ranges: the way to them is the way to the world."""

SIOCGIFADDR = 0x8915
"""Linux's number of the question for an interface's IPv4 address, which Python has no name for."""

IF_INET6 = Path("/proc/net/if_inet6")
"""Linux's table of IPv6 addresses: address, index, prefix, scope, flags, interface."""

GLOBAL_SCOPE = "00"
PASSING = 0x01 | 0x20 | 0x40
"""The flags of addresses that do not last: temporary, deprecated, not yet certain."""


def reachable(host: str) -> list[str]:
    """``host`` itself; of ``0.0.0.0`` and ``::`` the machine's addresses, the likeliest first and loopback last.

    Those of IPv4 stand before those of IPv6, since libindi's command line tools speak only that.
    """
    match host:
        case "0.0.0.0":  # noqa: S104 - told apart, not listened on
            return [*ipv4_addresses(), "127.0.0.1"]
        case "::":
            return [*ipv4_addresses(), *ipv6_addresses(), "127.0.0.1"]
        case _:
            return [host]


def ipv4_addresses() -> list[str]:
    """One of each interface, the one towards the world first."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        of_interfaces = [_ipv4_of(name, asking) for _, name in socket.if_nameindex()]
    return _unique([_towards_the_world(socket.AF_INET), *of_interfaces])


def ipv6_addresses() -> list[str]:
    """The lasting ones that need no interface named beside them."""
    table: list[str] = []
    with suppress(OSError):  # not Linux, or no IPv6
        table = IF_INET6.read_text().splitlines()
    return _unique([*map(_lasting, table), _towards_the_world(socket.AF_INET6)])


def _ipv4_of(interface: str, asking: socket.socket) -> str:
    try:
        answer = fcntl.ioctl(asking, SIOCGIFADDR, struct.pack("256s", interface.encode()))
    except OSError:  # it has none, or this is not Linux
        return ""
    return socket.inet_ntoa(answer[20:24])


def _lasting(line: str) -> str:
    digits, _, _, scope, flags, _ = line.split()
    if scope != GLOBAL_SCOPE or int(flags, 16) & PASSING:
        return ""
    return str(ipaddress.IPv6Address(int(digits, 16)))


def _towards_the_world(family: socket.AddressFamily) -> str:
    """The address that packets to elsewhere would bear. None is sent: a datagram socket connects in name only."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as asking:
            asking.connect((ELSEWHERE[family], 9))
            return str(asking.getsockname()[0])
    except OSError:  # there is no way: a telescope's own hotspot
        return ""


def _unique(found: list[str]) -> list[str]:
    return [one for one in dict.fromkeys(found) if one and not ipaddress.ip_address(one).is_loopback]
