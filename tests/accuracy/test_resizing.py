"""What `python -m accuracy.resizing` says."""

import pytest

from accuracy import resizing
from export.precision.photos import JUDGING


def test_whole_numbers_cost_little_and_not_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(resizing, "NETWORKS", ("midas_tiny_256",))
    monkeypatch.setattr(resizing, "JUDGING", JUDGING[:2])
    resizing.main()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    for line in lines:
        assert line.startswith("midas_tiny_256, trained, ")
        assert 1e-5 < float(line.rpartition(" ")[2]) < 2e-2
