"""The published figures are of networks that there are."""

from benchmarks.report.published import RTX_3090_FRAMES_PER_SECOND
from export.variants import VARIANTS
from reports.published import IMPROVEMENT_PERCENT


def test_every_official_network_of_midas_has_its_published_figures() -> None:
    official = {name for name, row in VARIANTS.items() if row.source.official and row.family != "depth_anything"}
    assert set(RTX_3090_FRAMES_PER_SECOND) == official
    assert set(IMPROVEMENT_PERCENT) == official
    assert RTX_3090_FRAMES_PER_SECOND["dpt_beit_large_512"] == 5.7
