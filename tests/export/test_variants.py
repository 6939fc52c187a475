"""The table's rows: memory is bounded, and what people ask for is allowed."""

import pytest
import torch

from export.networks import build
from export.variants import PLANNED_MEMORY, VARIANTS, Attention
from midas_server.imaging.network_size import network_size

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
    fine, coarse = Attention(heads=6), Attention(heads=6, key_patch=32)
    assert fine.score_bytes(512 * 512) == 4 * 6 * 1025 * 1025
    assert coarse.score_bytes(512 * 512) == 4 * 6 * 1025 * 257


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_weights_are_counted(variant: str) -> None:
    with torch.device("meta"):  # shapes alone
        network = build(variant)
    assert VARIANTS[variant].weight_count == sum(tensor.numel() for tensor in network.parameters())


def test_each_source_has_a_licence_and_a_file_name() -> None:
    for name, row in VARIANTS.items():
        assert row.source.licence == "MIT"
        assert row.source.file.startswith(name)
        assert row.source.official == (name != "midas_tiny_256")
        assert row.source.url is None or row.source.url.endswith(row.source.file)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_default_square_is_allowed(variant: str) -> None:
    row = VARIANTS[variant]
    assert row.resolution**2 <= row.max_area
    assert (row.max_area == row.resolution**2) or not row.fixed_size


@pytest.mark.parametrize("variant", ANY_ASPECT)
@pytest.mark.parametrize("resolution", [None, 512])
def test_a_full_hd_photo_is_allowed_at_the_default_and_at_512(variant: str, resolution: int | None) -> None:
    row = VARIANTS[variant]
    width, height = network_size(1920, 1080, resolution or row.resolution, row.resize)
    assert width * height <= row.max_area


def test_dpt_large_at_1024_is_not() -> None:
    row = VARIANTS["dpt_large_384"]
    width, height = network_size(1920, 1080, 1024, row.resize)
    assert width * height > row.max_area
