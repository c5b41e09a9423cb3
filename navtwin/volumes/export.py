"""The scanned volume of a case, as a file for other programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from navtwin.files.formats import Options, Report
from navtwin.scene.case import read_case_file
from navtwin.volumes.read import read_ct, read_label_volume
from navtwin.volumes.volume import Volume
from navtwin.volumes.write import write_metaimage, write_nifti, write_nrrd

#: Ending of the name -> writer, and what the format cannot carry.
_WRITERS: Final[Mapping[str, tuple[Callable[[Volume, Path], None], str]]] = {
    ".nii.gz": (write_nifti, "NIfTI keeps its place as 32-bit floats"),
    ".nii": (write_nifti, "NIfTI keeps its place as 32-bit floats"),
    ".nrrd": (write_nrrd, ""),
    ".mha": (write_metaimage, "a MetaImage cannot say that its axes are LPS; programs of ITK's family take them so"),
}


def export_volume(ending: str, path: Path, to: Path, options: Options, report: Report) -> tuple[str, ...]:
    """Write the volume of the case at `path`; returns sentences on what was written and what the format cannot carry.

    Raises
    ------
    InputRefused : no case, or a volume that cannot be read; no space to write to
    """
    case = read_case_file(path)
    report("reading the volume")
    volume = (read_label_volume if case.ct.is_label_volume else read_ct)(path / case.ct.file)
    write, lost = _WRITERS[ending]
    report(f"writing {to.name}")
    write(volume, to)
    what = "label volume" if case.ct.is_label_volume else "CT"
    said = f"wrote the {what} of '{case.case.name}': {' x '.join(map(str, volume.shape_ijk))} voxels, {volume.hu.dtype}, to the last bit"
    return (said, lost) if lost else (said,)
