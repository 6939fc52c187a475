"""Names that people use for networks: sizes, and `default` for the first network that a server loads.

The launcher serves them as ensembles over the steps of the network that is meant. They cost no process: an ensemble is
a config. They are written at each start, beside the repository, since only then is it known what is loaded.
"""

import difflib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from midas_server.repository import CONFIG_FILE, VERSION

DEFAULT = "default"
SIZES = {"small": "midas_v21_small_256", "medium": "dpt_hybrid_384", "large": "dpt_large_384"}
"""The network that each size means."""
RESERVED = (DEFAULT, *SIZES)
"""No network may be called so."""

_FIRST_NAME = re.compile(r'^name: "[^"]*"', re.MULTILINE)
_ENSEMBLE = 'platform: "ensemble"'


def network_named(name: str) -> str:
    """Return the network that a size means; any other name is returned as it is."""
    return SIZES.get(name, name)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return "; did you mean ...?" with up to three names that are close to `name`, or nothing where none is."""
    close = difflib.get_close_matches(name, list(known), 3)
    return f"; did you mean {' or '.join(close)}?" if close else ""


def write_aliases(folder: Path, repository: Path, models: Sequence[str]) -> list[str]:
    """Write an ensemble for `default` and for each size whose network is among `models`.

    Args:
        folder: a second model repository for Triton; created.
        repository: holds the ensembles of `models`; a model that it has under such a name is left alone.
        models: what is loaded. The first network among them is the default.

    Returns:
        The names that were written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    configs = {model: (repository / model / CONFIG_FILE).read_text() for model in models}
    networks = [model for model, config in configs.items() if _ENSEMBLE in config]
    meant = {DEFAULT: networks[0]} if networks else {}
    meant |= {size: network for size, network in SIZES.items() if network in networks}
    meant = {name: network for name, network in meant.items() if not (repository / name).exists()}
    for name, network in meant.items():
        (folder / name / VERSION).mkdir(parents=True, exist_ok=True)
        (folder / name / CONFIG_FILE).write_text(_FIRST_NAME.sub(f'name: "{name}"', configs[network], count=1))
    return list(meant)
