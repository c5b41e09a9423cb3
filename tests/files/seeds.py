"""Small sound files of every format: what our own writers make, DICOM as its tests make it, short texts. Tests and the fuzzer start from them."""

from __future__ import annotations

import gzip
from contextlib import suppress
from pathlib import Path

import numpy as np

from navtwin.errors import NavtwinError
from navtwin.files import door
from navtwin.files.formats import Kind, Options
from navtwin.scene.case import CT_FILE, CaseFile, CaseSection, CtSection, LandmarkEntry, PlanEntry, StructureEntry
from navtwin.volumes.volume import Volume, placed

CUBE = np.array([(x, y, z) for x in (4.0, 16.0) for y in (4.0, 16.0) for z in (4.0, 16.0)])
#: Formats whose files are short texts.
TEXTS = {
    "a.tfm": """#Insight Transform File V1.0
#Transform 0
Transform: AffineTransform_double_3_3
Parameters: 1 0 0 0 1 0 0 0 1 5 -3 2
FixedParameters: 0 0 0
""",
    "plus.xml": """<PlusConfiguration version="2.4"><DataCollection><Device Id="T" Type="OpticalMarkerTracker" ToolReferenceFrame="Tracker"
MarkerDictionary="ARUCO_MIP_36h12"><DataSources><DataSource Type="Tool" Id="Stylus" MarkerId="0" MarkerSizeMm="80"/></DataSources></Device>
</DataCollection><CoordinateDefinitions><Transform From="pointerTip" To="pointer" Matrix="1 0 0 0 0 1 0 0 0 0 1 100 0 0 0 1" Error="0.3"/>
</CoordinateDefinitions></PlusConfiguration>
""",
    "camera.yml": """%YAML:1.0
---
image_width: 640
image_height: 480
camera_matrix: !!opencv-matrix
   rows: 3
   cols: 3
   dt: d
   data: [ 560., 0., 320., 0., 560., 240., 0., 0., 1. ]
distortion_coefficients: !!opencv-matrix
   rows: 1
   cols: 5
   dt: d
   data: [ 0.1, 0., 0., 0., 0. ]
""",
    "camera.xml": """<?xml version="1.0"?><opencv_storage><image_width>640</image_width><image_height>480</image_height>
<camera_matrix type_id="opencv-matrix"><rows>3</rows><cols>3</cols><dt>d</dt><data>560. 0. 320. 0. 560. 240. 0. 0. 1.</data></camera_matrix>
<distortion_coefficients type_id="opencv-matrix"><rows>1</rows><cols>4</cols><dt>d</dt><data>0.1 0. 0. 0.</data></distortion_coefficients>
</opencv_storage>
""",
    "geometry.ini": """[geometry]
version=1
id=7
count=3
[fiducial0]
x=0
y=0
z=0
[fiducial1]
x=50
y=0
z=0
[fiducial2]
x=0
y=70
z=0
""",
    "body.txt": "0 0 0 0 -10 10 0 10 10 0 10 -10 0 -10 -10 0\n1 40 0 0 30 10 0 50 10 0 50 -10 0 30 -10 0\n",
    "camera.txt": "560 0 320\n0 560 240\n0 0 1\n0.1 0 0 0\n",
}
FACES = np.array([(0, 1, 3), (0, 3, 2), (4, 6, 7), (4, 7, 5), (0, 4, 5), (0, 5, 1), (2, 3, 7), (2, 7, 6), (0, 2, 6), (0, 6, 4), (1, 5, 7), (1, 7, 3)])


def make_seeds(scratch: Path) -> tuple[Path, Path, dict[str, Path]]:
    """A small case, a rig, and for each format a folder of sound files."""
    case, rig, log = _case(scratch / "case"), _rig(scratch), _log(scratch / "session.mcap")
    files = [log, rig, *_written(scratch, {"case": case, "rig": rig, "log": log}), *_volumes(scratch), *_dicom(scratch), *_texts(scratch)]
    seeds = dict[str, Path]()
    for file in files:
        try:
            found = door.recognise(file)
            found.inspect(file, Options())
        except NavtwinError:
            continue  # written for people and other programs, never read back
        folder = seeds.setdefault(found.name, scratch / "seeds" / str(len(seeds)))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{len(list(folder.iterdir()))}").write_bytes(file.read_bytes())
    return case, rig, seeds


def _written(scratch: Path, ours: dict[Kind, Path]) -> list[Path]:
    """One file of every kind that we write."""
    files = []
    for one in door.formats():
        for kind, ending in one.writes:
            to = scratch / f"{kind}-{len(files)}{ending}"
            # A format asks for what it needs to be told, and refuses what says nothing to it.
            for options in (Options(), Options(name="cube"), Options(name="drill"), Options(name="drill", space="LPS")):
                with suppress(NavtwinError):
                    door.write(ours[kind], to, options, lambda text: None)
                    files.append(to)
                    break
    return files


def _texts(scratch: Path) -> list[Path]:
    for name, text in TEXTS.items():
        (scratch / name).write_text(text, encoding="utf-8", newline="\n")
    return [scratch / name for name in TEXTS]


def _volume() -> Volume:
    hu = np.random.default_rng(1).integers(-1000, 1000, (6, 6, 6)).astype(np.int16)
    return placed(hu, np.diag((4.0, 4.0, 4.0, 1.0)), Path("made"))


def _case(folder: Path) -> Path:
    from navtwin.scene.build import write_case
    from navtwin.scene.surface import Surface
    from navtwin.volumes.write import write_nifti

    folder.mkdir()
    ct = folder.parent / "ct.nii.gz"
    write_nifti(_volume(), ct)
    made = CaseFile(
        case=CaseSection(name="cube"),
        ct=CtSection(file=CT_FILE),
        structure=(StructureEntry(name="cube", file="surfaces/cube.ply", role="context", sd_mm=0.5),),
        landmark=tuple(LandmarkEntry(name=f"p{n}", position_mm=(float(x), float(y), float(z))) for n, (x, y, z) in enumerate(CUBE[:4])),
        plan=(PlanEntry(name="path", entry_mm=(1.0, 1.0, 1.0), target_mm=(12.0, 12.0, 12.0), diameter_mm=2.0, tolerance_mm=1.0),),
    )
    write_case(folder, made, {"cube": Surface.from_arrays(CUBE, FACES)}, ct)
    return folder


def _rig(scratch: Path) -> Path:
    from phantoms.rig import write_rig

    (scratch / "rig").mkdir()
    write_rig(scratch / "rig")
    path = scratch / "rig" / "rig.toml"
    # A tip, so that there is one to be written.
    drawn = path.read_text(encoding="utf-8")
    path.write_text(drawn.replace('name = "drill"\nbody', 'name = "drill"\ntip_mm = [1.0, 2.0, -150.0]\nbody'), encoding="utf-8")
    return path


def _log(path: Path) -> Path:
    from tests.record.logs import events, write_session

    write_session(path, events(5))
    return path


def _volumes(scratch: Path) -> list[Path]:
    from navtwin.volumes.write import write_metaimage, write_nifti, write_nrrd

    files = []
    for name, write in (("a.nii", write_nifti), ("a.nii.gz", write_nifti), ("a.nrrd", write_nrrd), ("a.mha", write_metaimage)):
        write(_volume(), scratch / name)
        files.append(scratch / name)
    labels = placed((_volume().hu > 0).astype(np.uint8), np.diag((4.0, 4.0, 4.0, 1.0)), Path("made"))
    write_nifti(labels, scratch / "labels.nii")
    (scratch / "labels.nii.gz").write_bytes(gzip.compress((scratch / "labels.nii").read_bytes()))
    return [*files, scratch / "labels.nii", scratch / "labels.nii.gz"]


def _dicom(scratch: Path) -> list[Path]:
    from tests.volumes.dicom.made import enhanced, series, write
    from tests.volumes.labels.made import structure_set, write_dicom_seg

    hu = np.zeros((3, 8, 8), dtype=np.int16)
    square = np.array([(-8.0, 34.0, -98.0), (-4.0, 34.0, -98.0), (-4.0, 38.0, -98.0), (-8.0, 38.0, -98.0)])
    structure_set({"bone": [square]}).save_as(scratch / "rt.dcm", enforce_file_format=True)
    return [
        write(scratch / "slice.dcm", series(1)[0]),
        write(scratch / "enhanced.dcm", enhanced(hu, [(0.0, 0.0, 2.0 * k) for k in range(3)])),
        write_dicom_seg(scratch / "seg.dcm"),
        scratch / "rt.dcm",
    ]
