"""The table's rows: memory is bounded, and what people ask for is allowed."""

import pytest
import torch

from export.errors import LicenceError
from export.networks import build
from export.variants import VARIANTS, refuse_for_business
from export.variants.row import PLANNED_MEMORY, LargestAttention
from midas_server.imaging.network_size import network_size
from midas_server.licences import FOR_BUSINESS, NOT_FOR_BUSINESS, NOT_STATED
from reports.published import IMPROVEMENT_PERCENT

ANY_ASPECT = [name for name, row in VARIANTS.items() if row.any_aspect]


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_full_batch_of_the_largest_photos_stays_within_the_planned_memory(variant: str) -> None:
    assert VARIANTS[variant].activation_bytes <= PLANNED_MEMORY


def test_the_estimate_is_above_what_was_measured() -> None:
    row = VARIANTS["dpt_large_384"]
    assert row.activation_bytes / row.max_batch_size > 0.97e9  # at 768x768
    row = VARIANTS["dpt_beit_base_384"]
    assert row.activation_bytes > 1.32e9


def test_attention_that_looks_at_a_coarser_grid_needs_less() -> None:
    fine, coarse = LargestAttention(heads=6), LargestAttention(heads=6, key_patch=32)
    assert fine.score_bytes(512 * 512) == 4 * 6 * 1025 * 1025
    assert coarse.score_bytes(512 * 512) == 4 * 6 * 1025 * 257


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_weights_are_counted(variant: str) -> None:
    with torch.device("meta"):  # shapes alone
        network = build(variant)
    assert VARIANTS[variant].weight_count == sum(tensor.numel() for tensor in network.parameters())


def test_each_source_has_a_licence_and_a_file_name() -> None:
    licences = (*FOR_BUSINESS, *NOT_FOR_BUSINESS, NOT_STATED)
    for name, row in VARIANTS.items():
        assert row.source.licence in licences, "add it to midas_server/licences.py"
        assert row.source.file.startswith(name)
        if row.source.official:
            assert (row.source.licence == "MIT") == (row.family != "depth_anything")
        else:  # a network of the project's own
            assert name not in IMPROVEMENT_PERCENT
            assert row.family != "depth_anything"
        assert row.source.url is None or row.source.url.endswith(row.source.file)
    assert not VARIANTS["midas_tiny_256"].source.official


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_default_square_is_allowed(variant: str) -> None:
    row = VARIANTS[variant]
    assert row.resolution**2 <= row.max_area
    assert (row.max_area == row.resolution**2) or not row.fixed_size


@pytest.mark.parametrize("variant", ANY_ASPECT)
@pytest.mark.parametrize("resolution", [None, 512])
def test_a_full_hd_photo_is_allowed_at_the_default_and_at_512(variant: str, resolution: int | None) -> None:
    row = VARIANTS[variant]
    asked = (resolution or row.resolution) // row.multiple * row.multiple
    width, height = network_size(1920, 1080, asked, row.resize, row.multiple)
    assert width * height <= row.max_area


def test_dpt_large_at_1024_is_not() -> None:
    row = VARIANTS["dpt_large_384"]
    width, height = network_size(1920, 1080, 1024, row.resize)
    assert width * height > row.max_area


DEPTH_ANYTHING = [name for name, row in VARIANTS.items() if row.family == "depth_anything"]


def test_depth_anything_has_nine_rows_of_v2_and_three_of_v1() -> None:
    assert len(DEPTH_ANYTHING) == 12
    assert [len([name for name in DEPTH_ANYTHING if part in name]) for part in ("_v2_", "_metric_", "14")] == [9, 6, 3]


@pytest.mark.parametrize(
    ("photo", "size"),
    [
        ((640, 480), (686, 518)),
        ((480, 640), (518, 686)),
        ((1920, 1080), (924, 518)),
        ((1080, 1920), (518, 924)),
        ((4000, 3000), (686, 518)),
        ((1280, 800), (826, 518)),
        ((1000, 517), (1008, 518)),
        ((100, 100), (518, 518)),
        ((1242, 375), (1722, 518)),
    ],
)
@pytest.mark.parametrize("variant", DEPTH_ANYTHING)
def test_photos_get_the_size_that_the_official_code_gives_them(
    variant: str, photo: tuple[int, int], size: tuple[int, int]
) -> None:
    row = VARIANTS[variant]
    assert network_size(*photo, row.resolution, row.resize, row.multiple) == size
    assert size[0] * size[1] <= row.max_area


def test_what_the_rows_of_depth_anything_say() -> None:
    licences = {name: VARIANTS[name].licence for name in DEPTH_ANYTHING}
    assert licences["depth_anything_v2_vits"] == licences["depth_anything_vitl14"] == "Apache-2.0"
    assert licences["depth_anything_v2_vitb"] == licences["depth_anything_v2_vitl"] == "CC-BY-NC-4.0"
    for name in DEPTH_ANYTHING:
        row = VARIANTS[name]
        far = {"hypersim": 20.0, "vkitti": 80.0}.get(name.split("_")[4] if "_metric_" in name else "")
        assert (row.max_depth, row.parameters["max_depth"]) == (far, far)
        assert (row.kind == "metric_depth") == (far is not None)
        assert row.upsampling == ("bilinear_corners" if "_v2_" in name else "bilinear")
        assert "_metric_" not in name or row.licence == "not stated"


@pytest.mark.parametrize("variant", VARIANTS)
def test_business_is_refused_what_nobody_allows(variant: str) -> None:
    row = VARIANTS[variant]
    if row.licence in ("MIT", "Apache-2.0"):
        refuse_for_business(row)
        return
    with pytest.raises(LicenceError, match=rf"{variant} is refused by --commercial: .*not refuse: .*midas_tiny_256"):
        refuse_for_business(row)
