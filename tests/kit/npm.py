"""Packages of npm for tests: fetched once into `build/npm`, pinned by version."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Final

import pytest

CACHE: Final = Path("build/npm")
PATIENCE: Final = 300.0  # seconds


def unpacked(package: str) -> Path:
    """The folder of a package such as `name@1.2.3`; the test is skipped, with the reason, where it cannot be had."""
    folder = CACHE / package.replace("/", "-")
    if not (folder / "package").is_dir():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("no npm here: apt-get install npm")
        folder.mkdir(parents=True, exist_ok=True)
        command = [npm, "pack", package, "--silent", "--pack-destination", str(folder)]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)
        except (OSError, subprocess.SubprocessError) as error:
            pytest.skip(f"npm could not fetch {package}: {error}")
        (packed,) = folder.glob("*.tgz")
        with tarfile.open(packed) as archive:
            archive.extractall(folder, filter="data")
        packed.unlink()
    return folder / "package"
