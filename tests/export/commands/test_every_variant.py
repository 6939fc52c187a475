"""All networks of the table: exported one after the other, and a photo sent through each. A quarter of an hour."""

import subprocess
import sys
from pathlib import Path

import pytest

from export.variants import VARIANTS
from tests.networks import ROOT


@pytest.mark.long
def test_every_variant_is_exported_and_served(tmp_path: Path) -> None:
    repository = tmp_path / "model_repository"
    export = [sys.executable, "-m", "export", "all", "--untrained", "--repository", str(repository)]
    done = subprocess.run(export, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    gallery = [sys.executable, "-m", "demo.gallery", "--repository", str(repository), "--out", str(tmp_path)]
    done = subprocess.run(gallery, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(name in done.stdout for name in VARIANTS)
