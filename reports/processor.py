"""The processor: its name, and which of the abilities it has that decide how fast a build is. Standard library only."""

import platform
from pathlib import Path

_FEATURES = {
    "avx512": {"avx512f"},
    "vnni": {"avx512_vnni", "avx_vnni", "asimddp"},
    "bf16": {"avx512_bf16", "bf16"},
    "amx": {"amx_bf16"},
}
"""The kernel's flags for each, on Intel, AMD and ARM; one of them is enough."""


def processor() -> str:
    """Return the model's name with its family's number, since many virtual machines give a name without one."""
    facts = _cpu_facts()
    name = facts.get("model name", platform.machine())
    return f"{name} (family {facts.get('cpu family', '?')}, model {facts.get('model', '?')})"


def features() -> tuple[str, ...]:
    """Return which of the abilities that decide how fast a build is this processor has, such as "avx512", "bf16"."""
    facts = _cpu_facts()
    flags = set(facts.get("flags", facts.get("Features", "")).split())
    return tuple(name for name, any_of in _FEATURES.items() if flags & any_of)


def _cpu_facts() -> dict[str, str]:
    facts: dict[str, str] = {}
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        facts.setdefault(name.strip(), value.strip())
    return facts
