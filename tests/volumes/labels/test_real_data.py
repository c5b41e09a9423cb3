"""Real scans with real labels: each becomes a case whose structures lie where the labels do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from navtwin.errors import InputRefused
from navtwin.files.formats import Options
from navtwin.scene import Surface, load_scene
from navtwin.scene.extract import extract_mask
from navtwin.volumes.labels.bring import bring_ct, bring_labels
from navtwin.volumes.labels.read import read_segmentation
from navtwin.volumes.read import read_ct

DATA = Path(__file__).resolve().parents[3].parent / "shared" / "data"
SKULL, SAMPLE, ATLAS = DATA / "ct" / "skull_phantom", DATA / "ct" / "totalseg_sample", DATA / "anatomy" / "head_neck_atlas"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the shared data are not here")


def quiet(text: str) -> None:
    """Nobody watches."""


def centre_mm(surface: Surface) -> np.ndarray:
    return surface.vertices_mm.mean(axis=0)


@needs_data
@pytest.mark.heavy
def test_a_skull_from_dicom_by_its_hu(tmp_path: Path) -> None:
    source = SKULL / "std_5mm_dicom"
    bring_ct(source, tmp_path / "case", Options(structures=("bone@300:work",)), quiet)
    bone = load_scene(tmp_path / "case").structure("bone")
    volume = read_ct(source)
    assert bone.capped
    # Plates thinner than two voxels: the level lies inside the outermost voxels at or above it.
    assert 0.75 < bone.surface.volume_mm3 / ((volume.hu >= 300).sum() * np.prod(volume.spacing_mm)) < 1.0
    kept = read_ct(tmp_path / "case" / "ct.nii.gz")
    np.testing.assert_array_equal(kept.hu, volume.hu)
    np.testing.assert_allclose(kept.T_ct_from_ijk, volume.T_ct_from_ijk, rtol=1e-6, atol=1e-4)


@needs_data
@pytest.mark.heavy
def test_packed_dicom_with_labels_on_turned_axes(tmp_path: Path) -> None:
    """The label volume counts its rows the other way round; by its affine it lies on the CT: soft organs are soft there, and bone is hard."""
    labels = SAMPLE / "example_seg_dicom.nii.gz"
    ct = read_ct(SAMPLE / "example_ct_dicom")
    found = read_segmentation(labels, ct=ct)
    assert found.remarks == ()
    T_ct_index = np.linalg.inv(ct.T_ct_from_ijk) @ found.volume.T_ct_from_ijk
    medians = {}
    for name in ("liver", "spleen", "vertebrae_T12"):
        kji = np.argwhere(found.mask_of(found.segment(name)))
        index = np.rint(kji[:, ::-1] @ T_ct_index[:3, :3].T + T_ct_index[:3, 3]).astype(int)
        medians[name] = float(np.median(ct.hu[index[:, 2], index[:, 1], index[:, 0]]))
    assert 40.0 < medians["liver"] < 160.0
    assert 40.0 < medians["spleen"] < 200.0
    assert medians["vertebrae_T12"] > 100.0
    said = bring_ct(SAMPLE / "example_ct_dicom", tmp_path / "case", Options(labels=str(labels), structures=("aorta:critical:3:1.5",)), quiet)
    assert said[1] == "1 structure: aorta (critical)"
    aorta = load_scene(tmp_path / "case").structure("aorta")
    voxels = int(found.mask_of(found.segment("aorta")).sum())
    assert aorta.surface.volume_mm3 == pytest.approx(voxels * np.prod(found.volume.spacing_mm), rel=0.02)


@needs_data
@pytest.mark.heavy
def test_the_coarse_pair_and_the_wrong_pair(tmp_path: Path) -> None:
    labels, other = SAMPLE / "example_seg_fast_force_split.nii.gz", SAMPLE / "example_seg_dicom.nii.gz"
    bring_ct(SAMPLE / "example_ct.nii.gz", tmp_path / "case", Options(labels=str(labels), structures=("vertebrae_L1:work",)), quiet)
    bring_labels(labels, tmp_path / "case", Options(structures=("aorta:critical:3:1.5",)), quiet)
    scene = load_scene(tmp_path / "case")
    assert [(s.name, s.color) for s in scene.structures] == [("vertebrae_L1", "#ff0080"), ("aorta", "#ff00ff")]
    apart = centre_mm(scene.structure("aorta").surface) - centre_mm(scene.structure("vertebrae_L1").surface)
    assert apart[1] < -10.0  # the aorta runs in front of the spine
    with pytest.raises(InputRefused, match=r"0 % of the labelled voxels .* their middles 1046 mm apart"):
        bring_labels(other, tmp_path / "case", Options(structures=("liver:context",)), quiet)


@needs_data
@pytest.mark.heavy
@pytest.mark.parametrize(("number", "name"), [(12, "axis"), (107, "right_internal_carotid")])
def test_the_atlas_models_lie_on_its_labels(number: int, name: str) -> None:
    """Labels are LPS and say so; models are RAS and do not: read as such they coincide, read as LPS they are far off."""
    found = read_segmentation(ATLAS / "HN-Atlas-labels.nrrd", ct=None, names=ATLAS / "HeadAndNeckAtlas-training-colors.ctbl")
    of_labels = extract_mask(found.volume, found.mask_of(found.segment(name)), name).surface
    path = ATLAS / "models" / f"Model_{number}_{name}.vtk"
    right, wrong = (np.abs(of_labels.closest(Surface.read(path, space).vertices_mm).distance_mm) for space in ("RAS", "LPS"))
    assert np.median(right) < 0.98  # a voxel is 0.98 x 0.98 x 1.4 mm, and the models are smoothed
    assert np.percentile(right, 99) < 2.0
    assert np.median(wrong) > 5.0
