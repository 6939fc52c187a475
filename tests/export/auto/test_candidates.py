"""Which builds `--target auto` tries."""

import pytest

from export.auto import candidates as module
from export.auto.candidates import BF16, ON_PROCESSOR, ONNX, candidates


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_cuda", lambda: False)


def test_bfloat16_is_tried_where_the_processor_computes_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "features", lambda: ("avx512", "bf16"))
    builds, left_out = candidates()
    assert builds[:2] == [ONNX, BF16]
    assert str(BF16) not in left_out


def test_emulated_bfloat16_takes_no_time_from_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "features", lambda: ("avx512", "vnni"))
    builds, left_out = candidates()
    assert BF16 not in builds
    assert builds[:4] == [ONNX, *ON_PROCESSOR[1:]]
    assert "no instructions for bfloat16" in left_out[str(BF16)]
