"""What is told to people once something is served: what, where, and what to type next."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence

from indiflask.links.addresses import reachable

BUILT_IN = ("DRIVER_INFO",)
"""Properties that every device has, and that nobody looks for."""

WIDTH = 100
"""Of a line, where names are many; the log's own lines are as long."""

LINES = 3
"""Of properties, for each device: a camera has fifty, and is to leave the rest of the screen alone."""

DEVICES = 8
"""That are told one by one."""

NAMED = 4
"""Devices and addresses that stand in the first line."""


def summary(address: str, properties: Mapping[str, Sequence[str]]) -> str:
    """``properties`` are each device's, by its name; ``address`` is ``host:port`` or ``[host]:port``."""
    host, _, port = address.rpartition(":")
    hosts = reachable(host.strip("[]"))
    where = _some([f"[{one}]:{port}" if ":" in one else f"{one}:{port}" for one in hosts])
    return "\n".join(
        [
            f"indiflask: serving {_some(list(properties)) or 'nothing yet'} on {where}",
            *_devices({device: [one for one in names if one not in BUILT_IN] for device, names in properties.items()}),
            *_next_steps(hosts[0], port, properties),
            f"  KStars:   an INDI host, {hosts[0]} port {port}",
            "  Ctrl-C ends it",
        ]
    )


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED + 1 else ""
    return ", ".join(names[:NAMED] if more else names) + more


def _devices(properties: Mapping[str, Sequence[str]]) -> Iterator[str]:
    shown = len(properties) if len(properties) <= DEVICES + 1 else DEVICES
    for device, names in list(properties.items())[:shown]:
        yield from _wrapped(f"  {device}: ", names)
    if shown < len(properties):
        yield f"  and {len(properties) - shown} more devices"


def _wrapped(head: str, names: Sequence[str]) -> Iterator[str]:
    """Names on a few lines, and how many are left."""
    lines = [head]
    for number, name in enumerate(names):
        comma = "," if number < len(names) - 1 else ""
        if len(lines[-1]) + len(name) + len(comma) > WIDTH and lines[-1].strip():
            if len(lines) == LINES:
                lines[-1] += f"and {len(names) - number} more"
                break
            lines.append(" " * 4)
        lines[-1] += f"{name}{comma} "
    yield from (line.rstrip() for line in lines)


def _next_steps(host: str, port: str, properties: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """With libindi's tools: see what there is, and connect a device that shows nothing until then."""
    if not properties:
        return
    if ":" in host:
        yield "  see it:   with a client that speaks IPv6; libindi's command line tools do not"
        return
    device, names = next(iter(properties.items()))
    to = f"-h {host} -p {port}"
    if set(names) <= {"CONNECTION", *BUILT_IN}:
        yield f"  connect:  indi_setprop {to} {shlex.quote(f'{device}.CONNECTION.CONNECT=On')}"
    yield f"  see it:   indi_getprop {to} {shlex.quote(f'{device}.*.*')}"
