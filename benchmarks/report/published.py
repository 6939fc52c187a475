"""Figures that others published for the same networks, as reference columns of a report; nothing here is measured."""

from collections.abc import Mapping
from dataclasses import dataclass

RTX_3090_FRAMES_PER_SECOND: Mapping[str, float] = {
    "dpt_beit_large_512": 5.7,
    "dpt_beit_large_384": 13,
    "dpt_beit_base_384": 31,
    "dpt_swin2_large_384": 41,
    "dpt_swin2_base_384": 39,
    "dpt_swin2_tiny_256": 64,
    "dpt_swin_large_384": 49,
    "dpt_next_vit_large_384": 30,
    "dpt_levit_224": 73,
    "dpt_large_384": 61,
    "dpt_hybrid_384": 50,
    "midas_v21_384": 47,
    "midas_v21_small_256": 90,
}
"""Frames per second of the network alone in PyTorch on an RTX 3090, as the README of isl-org/MiDaS gives them."""


@dataclass(frozen=True)
class PublishedService:
    """What was published of a whole service: photos in, depth maps out."""

    machine: str
    photo: str
    seconds_a_photo: float


T4_SERVICE = PublishedService(machine="Tesla T4", photo="1920x1080", seconds_a_photo=0.8)
"""A published MiDaS service on a T4."""
