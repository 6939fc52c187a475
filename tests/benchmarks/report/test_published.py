"""The published figures are of networks that there are."""

from benchmarks.report.published import RTX_3090_FRAMES_PER_SECOND
from export.variants import VARIANTS


def test_every_official_network_has_its_published_speed() -> None:
    assert set(RTX_3090_FRAMES_PER_SECOND) == set(VARIANTS) - {"midas_tiny_256"}
    assert RTX_3090_FRAMES_PER_SECOND["dpt_beit_large_512"] == 5.7
