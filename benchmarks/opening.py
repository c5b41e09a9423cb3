"""Opening a CT: a folder of DICOM slices, beside SimpleITK on the same files in the same run.

    navtwin bench opening [--slices 224] [--repeats 7] [--seed 0] [--packings plain,rle,jpeg,jpeg-ls,jpeg2000] [--data FOLDER] [--json FILE]

The CT is made anew from the seed: 512 x 512 pixels, a body with bones in it, the noise of a scanner. Both readers take turns, after one
turn that does not count; `times SimpleITK` is the median of ours over the median of theirs. Both must come to the same values, to the last bit.
`memory` is the peak of a process of its own, the decoders' processes included, above what it held with everything imported,
over the bytes of the pixels (Linux only).
Folders (and .tar.xz archives) of real slices are timed as well: `--data`, by default the data pack beside the checkout, if it is there.
"""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from results import cli
from results.model import Figure, Table, percentile
from rich.console import Console
from rich.progress import track

from navtwin.errors import InputRefused, nearest
from navtwin.files.archive import unpacked

SIDE = 512
PACKINGS = {
    "plain": "1.2.840.10008.1.2.1",
    "rle": "1.2.840.10008.1.2.5",
    "jpeg": "1.2.840.10008.1.2.4.70",
    "jpeg-ls": "1.2.840.10008.1.2.4.80",
    "jpeg2000": "1.2.840.10008.1.2.4.90",
}
REAL = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "ct"


#: SimpleITK's last image: a view of its voxels does not keep it alive.
_KEPT: list[Any] = []


def ours(folder: Path) -> npt.NDArray[Any]:
    from navtwin.volumes.dicom.read import read_dicom

    return read_dicom(folder).hu


def theirs(folder: Path) -> npt.NDArray[Any]:
    import SimpleITK

    names = SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder))
    _KEPT[:] = [SimpleITK.ReadImage(names)]
    values: npt.NDArray[Any] = SimpleITK.GetArrayViewFromImage(_KEPT[0])
    return values


READERS: dict[str, Callable[[Path], npt.NDArray[Any]]] = {"ours": ours, "SimpleITK": theirs}


def make(folder: Path, slices: int, seed: int, packing: str) -> None:
    """Write the CT of the seed."""
    import pydicom
    from pydicom.dataset import Dataset, FileMetaDataset

    rng = np.random.default_rng(seed)
    y, x = (np.mgrid[:SIDE, :SIDE] - SIDE / 2) / (SIDE / 2)
    for k in track(range(slices), description=f"writing {packing}", transient=True, console=Console(stderr=True)):
        bend = 0.1 * np.sin(k / 40)
        hu = np.where((x / 0.85) ** 2 + (y / 0.6) ** 2 < 1, 40.0, -1000.0)
        hu[(x - bend) ** 2 + (y - 0.3) ** 2 < 0.02] = 900.0
        hu += rng.normal(0, 12, hu.shape)
        ds = Dataset()
        ds.file_meta = FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
        ds.SOPClassUID, ds.SOPInstanceUID, ds.Modality = "1.2.840.10008.5.1.4.1.1.2", f"1.2.826.0.3.{k + 1}", "CT"
        ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = "1.2.826.0.1", "1.2.826.0.2", "1.2.826.0.4"
        ds.ImageType, ds.SeriesNumber, ds.InstanceNumber = ["ORIGINAL", "PRIMARY", "AXIAL"], 1, k + 1
        ds.ImagePositionPatient, ds.ImageOrientationPatient = [-180.0, -180.0, -100 + 0.8 * k], [1, 0, 0, 0, 1, 0]
        ds.PixelSpacing, ds.SliceThickness = [0.7, 0.7], 0.8
        ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.Rows, ds.Columns = 1, "MONOCHROME2", SIDE, SIDE
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
        ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = -1024, 1, "HU"
        ds.PixelData = np.clip(np.rint(hu) + 1024, 0, 4095).astype("<u2").tobytes()
        path = folder / f"{rng.integers(2**40):x}.dcm"  # no order in the names, as archives write them
        ds.save_as(path, enforce_file_format=True)
        if packing != "plain":
            pack(path, PACKINGS[packing])


def pack(path: Path, syntax: str) -> None:
    import gdcm

    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(syntax)))
    if not reader.Read():
        raise RuntimeError(f"GDCM cannot read {path}")
    change.SetInput(reader.GetImage())
    if not change.Change():
        raise RuntimeError(f"GDCM cannot write {syntax}")
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(path))  # empties the file
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    if not writer.Write():
        raise RuntimeError(f"GDCM cannot write {path}")


@dataclass(frozen=True)
class Opened:
    """Both readers on one CT: what each turn took, ms, and the memory of each over the bytes of the pixels."""

    what: str
    shape: tuple[int, ...]
    same: bool
    ms: dict[str, list[float]]
    memory: dict[str, float]


def opened(what: str, folder: Path, repeats: int) -> Opened:
    """Both readers in turns."""
    spent: dict[str, list[float]] = {name: [] for name in READERS}
    pixels = [read(folder) for read in READERS.values()]
    same = bool(np.array_equal(*pixels))
    shape, size = pixels[0].shape, pixels[0].nbytes
    del pixels
    for _ in track(range(repeats), description=what, transient=True, console=Console(stderr=True)):
        for name, read in READERS.items():
            begin = time.perf_counter()
            read(folder)
            spent[name].append(1e3 * (time.perf_counter() - begin))
    return Opened(what, shape, same, spent, {name: peak_bytes(name, folder) / size for name in READERS})


def peak_bytes(reader: str, folder: Path) -> int:
    """Peak memory of a process that reads once, above what it held before."""
    command = [sys.executable, __file__, "--child", reader, "--data", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(done.stdout)


def child(reader: str, folder: Path) -> int:
    """Peak of this process above its peak with everything imported, and the whole peaks of its own children."""
    importlib.import_module("SimpleITK" if reader == "SimpleITK" else "navtwin.volumes.dicom.read")
    importlib.import_module("pydicom.filereader")
    before = high_water("self")
    children: dict[str, int] = {}
    over = threading.Event()
    watch = threading.Thread(target=watch_children, args=(children, over))
    watch.start()
    READERS[reader](folder)
    over.set()
    watch.join()
    return high_water("self") - before + sum(children.values())


def watch_children(peaks: dict[str, int], over: threading.Event) -> None:
    while not over.wait(0.005):
        for task in Path("/proc/self/task").iterdir():
            with suppress(OSError):  # threads and children come and go
                for pid in (task / "children").read_text().split():
                    peaks[pid] = max(peaks.get(pid, 0), high_water(pid))


def high_water(process: str) -> int:
    """Bytes; what `getrusage` tells of a new process is its parent's peak."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return 1024 * next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--slices", type=int, default=224)
    options.add_argument("--repeats", type=int, default=7)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--packings", default=",".join(PACKINGS))
    options.add_argument("--data", type=Path, default=REAL, help="folder with folders of real slices")
    options.add_argument("--child", help="used by itself, for memory")
    cli.add_options(options)
    arguments = options.parse_args()
    if arguments.child:
        print(child(arguments.child, arguments.data))
        return 0
    packings = _packings(arguments)
    run = cli.run_begun("opening", arguments)
    if find_spec("SimpleITK") is None:
        raise InputRefused("this compares with SimpleITK, which is not installed", "install the extra: pip install 'navtwin[bench]'")
    rows = []
    with tempfile.TemporaryDirectory() as name:
        for packing in packings:
            folder = Path(name, packing)
            folder.mkdir()
            make(folder, arguments.slices, arguments.seed, packing)
            rows.append(opened(f"{packing}, {arguments.slices} slices", folder, arguments.repeats))
    with ExitStack() as kept:
        roots = [arguments.data, *(kept.enter_context(unpacked(path)) for path in sorted(arguments.data.rglob("*.tar.xz")))]
        real = sorted({file.parent for root in roots for file in root.rglob("*") if file.suffix == ".dcm" or file.name.startswith("CT.")})
        rows += [opened(folder.name, folder, arguments.repeats) for folder in real]
    result = run.result(
        settings={
            "slices": arguments.slices,
            "repeats": arguments.repeats,
            "packings": ",".join(packings),
            "real": ",".join(folder.name for folder in real),
        },
        figures=[
            *(figure for row in rows for figure in figures_of(row)),
            Figure(name="CTs that the two read differently", value=float(sum(not row.same for row in rows)), unit=""),
        ],
        tables=[table_of(rows)],
        notes=() if real else ("There is no folder of real slices: made ones only.",),
        seeds=(arguments.seed,),
    )
    return cli.finish(arguments, result)


def _packings(arguments: argparse.Namespace) -> list[str]:
    packings: list[str] = arguments.packings.split(",")
    for packing in packings:
        if packing not in PACKINGS:
            raise InputRefused(f"there is no packing '{packing}'", nearest(packing, PACKINGS))
    if min(arguments.slices, arguments.repeats) < 1:
        raise InputRefused(f"--slices {arguments.slices} --repeats {arguments.repeats}: nothing to open", "ask for one or more of each")
    return packings


def figures_of(row: Opened) -> list[Figure]:
    """Medians of both readers and of ours over theirs, whose blocks are the turns; memory over the pixels."""
    ours_ms, theirs_ms = row.ms.values()
    times = tuple(a / b for a, b in zip(ours_ms, theirs_ms, strict=True))
    medians = [Figure(name=f"{row.what}: {name} p50", value=percentile(ms, 50.0), unit="ms", blocks=tuple(ms)) for name, ms in row.ms.items()]
    ratio = Figure(name=f"{row.what}: times SimpleITK", value=medians[0].value / medians[1].value, unit="x", blocks=times)
    memory = [Figure(name=f"{row.what}: {name}, memory over pixels", value=share, unit="x") for name, share in row.memory.items()]
    return [*medians, ratio, *memory]


def table_of(rows: list[Opened]) -> Table:
    cells = []
    for row in rows:
        times = [f"{percentile(ms, 50.0):.0f} / {max(ms):.0f}" for ms in row.ms.values()]
        voxels = " x ".join(map(str, reversed(row.shape)))
        cells.append((row.what, voxels, *times, *(f"{share:.2f} x" for share in row.memory.values()), "yes" if row.same else "NO"))
    columns = ("CT", "voxels", "ours p50 / max ms", "SimpleITK p50 / max ms", "memory ours", "memory SimpleITK", "same values")
    return Table(title="Opening a CT", columns=columns, rows=tuple(cells))


if __name__ == "__main__":
    sys.exit(cli.exit_code(main))
