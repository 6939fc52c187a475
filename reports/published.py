"""Accuracy that MiDaS published for its networks; nothing here is measured."""

from collections.abc import Mapping

SOURCE = "https://github.com/isl-org/MiDaS#accuracy"

IMPROVEMENT_PERCENT: Mapping[str, int] = {
    "dpt_beit_large_512": 19,
    "dpt_beit_large_384": 17,
    "dpt_beit_base_384": -31,
    "dpt_swin2_large_384": 22,
    "dpt_swin2_base_384": 22,
    "dpt_swin2_tiny_256": -11,
    "dpt_swin_large_384": 17,
    "dpt_next_vit_large_384": 16,
    "dpt_levit_224": -40,
    "dpt_large_384": 0,
    "dpt_hybrid_384": -10,
    "midas_v21_384": -32,
    "midas_v21_small_256": -76,
}
"""How much smaller the zero-shot error is than that of dpt_large_384, in percent, averaged by MiDaS over DIW, ETH3D,
Sintel, TUM, KITTI and NYUv2; each network at its own inference height, and in the photo's aspect ratio where it can."""
