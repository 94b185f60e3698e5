"""What is told to people once something is served: what, where, and what to type next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

BUILT_IN = ("DRIVER_INFO",)
"""Properties that every device has, and that nobody looks for."""


def summary(address: str, properties: Mapping[str, Sequence[str]]) -> str:
    """``properties`` are each device's, by its name; ``address`` is ``host:port``."""
    lines = [f"indiflask: serving {', '.join(properties) or 'nothing'} on {address}"]
    for device, names in properties.items():
        lines.append(f"  {device}: {', '.join(name for name in names if name not in BUILT_IN)}")
    host, _, port = address.rpartition(":")
    first = next(iter(properties), "*")
    return "\n".join(
        [
            *lines,
            f"  see it:   indi_getprop -h {host} -p {port} '{first}.*.*'",
            f"  KStars:   an INDI host, {host} port {port}",
            "  Ctrl-C ends it",
        ]
    )
