"""Wrong axes, a mirror, a wrong unit, a wrong side: told by where the scan has bone, never by a residual."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from navtwin.scene.surface import Surface
from navtwin.scene.whereabouts import body_middle_x_mm, misplaced, on_the_wrong_side, share_inside, side_of
from navtwin.volumes.volume import Volume
from tests.twin.world import ball

#: The bone lies aside of every middle, so that each mirror moves it.
BONE_MM, RADIUS_MM = (40.0, 60.0, 25.0), 12.0
SIDE_MM, COUNT = 2.0, 81


def scan() -> Volume:
    """Air, a body of water and one bone in it; the middle of the scan is not the origin."""
    low = np.array((-70.0, -80.0, -60.0))
    k, j, i = np.meshgrid(*(np.arange(COUNT),) * 3, indexing="ij")
    at = low + SIDE_MM * np.stack([i, j, k], axis=-1)
    hu = np.full(k.shape, -1000.0)
    hu[np.linalg.norm(at[..., :2] - (10.0, 0.0), axis=-1) < 76.0] = 40.0
    hu[np.linalg.norm(at - BONE_MM, axis=-1) < RADIUS_MM] = 700.0
    T = np.diag((SIDE_MM, SIDE_MM, SIDE_MM, 1.0))
    T[:3, 3] = low
    return Volume(hu, T, (SIDE_MM,) * 3, Path("made"))


SCAN = scan()
MIDDLE = np.array((10.0, 0.0, 20.0))
BONE = ball(BONE_MM, RADIUS_MM)


def changed(factors: tuple[float, float, float], about: np.ndarray | None = None) -> Surface:
    """The bone with a mistake made; a mirror turns the faces, which are turned back as any reader does."""
    middle = np.zeros(3) if about is None else about
    mirrors = np.prod(np.sign(factors)) < 0.0
    return Surface.from_arrays(middle + (BONE.vertices_mm - middle) * factors, BONE.faces[:, ::-1] if mirrors else BONE.faces)


def told(surface: Surface) -> tuple[str, str]:
    found = list(misplaced("T12", surface, SCAN))
    return (found[0].level, found[0].problem) if found else ("", "")


def test_a_bone_on_the_scans_bone_is_well() -> None:
    assert told(BONE) == ("", "")
    assert share_inside(BONE, SCAN) == 1.0


@pytest.mark.parametrize(
    ("factors", "about", "words"),
    [
        ((-1.0, -1.0, 1.0), None, "RAS read as LPS"),
        ((1e-3, 1e-3, 1e-3), None, "metres read as mm"),
        ((0.1, 0.1, 0.1), None, "centimetres read as mm"),
        ((-1.0, 1.0, 1.0), None, "left and right exchanged"),
        ((1.0, -1.0, 1.0), None, "front and back exchanged"),
        ((1.0, 1.0, -1.0), None, "head and feet exchanged"),
        ((-1.0, 1.0, 1.0), MIDDLE, "mirrored about the scan's middle, left and right exchanged"),
    ],
)
def test_a_usual_mistake_is_named(factors: tuple[float, float, float], about: np.ndarray | None, words: str) -> None:
    level, problem = told(changed(factors, about))
    assert level == "fault"
    assert words in problem


def test_another_patients_bone_is_a_warning_without_a_guess() -> None:
    level, problem = told(ball((-20.0, 20.0, -10.0), RADIUS_MM))
    assert level == "warning"
    assert "does not lie on the CT's bone" in problem


@pytest.mark.parametrize(("larger", "off_mm"), [(0.8, 6.0), (1.3, 12.0), (1.0, 12.0)])
def test_a_bone_of_another_size_that_crosses_the_scans_bone_is_a_warning(larger: float, off_mm: float) -> None:
    """The mean step under its skin is high where it crosses: the share of the skin that lies on a step is what tells."""
    level, problem = told(ball((BONE_MM[0] + off_mm, BONE_MM[1], BONE_MM[2]), larger * RADIUS_MM))
    assert level == "warning"
    assert "of its skin lie on bone's" in problem


def test_a_little_off_is_no_mistake() -> None:
    assert told(ball((BONE_MM[0] + 1.0, BONE_MM[1], BONE_MM[2]), RADIUS_MM)) == ("", "")


def test_without_bone_in_the_scan_there_is_nothing_to_compare_with() -> None:
    soft = Volume(np.minimum(SCAN.hu, 60.0), SCAN.T_ct_from_ijk, SCAN.spacing_mm, SCAN.path)
    assert list(misplaced("T12", changed((-1.0, -1.0, 1.0)), soft)) == []


@pytest.mark.parametrize(
    ("name", "side"), [("kidney_left", "left"), ("T11 right pedicle", "right"), ("leftover", ""), ("left-to-right", ""), ("aorta", "")]
)
def test_a_side_is_read_from_whole_words(name: str, side: str) -> None:
    assert side_of(name) == side


def test_what_is_called_left_lies_to_the_left_of_its_counterpart() -> None:
    assert list(on_the_wrong_side([("plan", "left pedicle", 12.0), ("plan", "right pedicle", -12.0)], 0.0, None)) == []
    wrong = list(on_the_wrong_side([("plan", "left pedicle", -12.0), ("plan", "right pedicle", 12.0)], 0.0, None))
    assert [f.level for f in wrong] == ["fault", "fault"]
    assert "'left pedicle' is called left and lies 24 mm to the right of 'right pedicle'" in wrong[0].problem


def test_alone_it_is_compared_with_the_bodys_middle_and_only_warned_of() -> None:
    assert list(on_the_wrong_side([("structure", "kidney_left", 40.0)], 10.0, None)) == []
    (found,) = on_the_wrong_side([("structure", "kidney_left", -30.0)], 10.0, None)
    assert found.level == "warning"
    assert list(on_the_wrong_side([("structure", "heart_atrium_left", 2.0)], 10.0, None)) == [], "near the middle"


def test_the_side_that_the_patients_facts_state_is_that_of_some_plan() -> None:
    plans = [("plan", "a", -20.0), ("plan", "b", -25.0)]
    (found,) = on_the_wrong_side(plans, 0.0, "left")
    assert "facts say left" in found.problem
    assert list(on_the_wrong_side(plans, 0.0, "right")) == []
    assert list(on_the_wrong_side(plans, 0.0, "bilateral")) == []


def test_the_bodys_middle_is_found_in_the_air_about_it() -> None:
    assert body_middle_x_mm(SCAN) == pytest.approx(10.0, abs=4.0)
