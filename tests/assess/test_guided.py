"""The guided procedure on a simulated tracker: through the fold, on the disk, and against hands that do something else than they were asked."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from navtwin.assess.artefact import Artefact, ArtefactPoint, artefact_text, read_artefact
from navtwin.assess.assessment import FITS, Assessment, assess
from navtwin.assess.collector import Collector
from navtwin.assess.guide import Guide, wrong_posture
from navtwin.assess.plan import Design, Touch, spread_order, touches
from navtwin.assess.posture import Posture
from navtwin.assess.report import as_json, write_csv, write_html
from navtwin.assess.sheet import printed_sheet
from navtwin.assess.tables import figures_of, tables_of
from navtwin.assess.taken import Assessed, Taken, TouchFile, read_touches
from navtwin.errors import InputRefused
from phantoms.assessed_tracker import POINTER, AssessedTracker
from phantoms.measuring_volume import MeasuringVolume

DESIGN = Design(places=("middle", "near"), repeats=3, leans_deg=(-30.0, 30.0), turns_deg=(-45.0, 45.0), points=6)
DWELL_S, HELD_S = 0.5, 0.9


class Bench:
    """A simulated tracker, a pivoted pointer and a guide."""

    def __init__(self, design: Design = DESIGN, seed: int = 1) -> None:
        self.tracker = AssessedTracker(MeasuringVolume(seed=seed), seed)
        self.asked = touches(self.tracker.artefact, design)
        self.collector = Collector(self.tracker.rig, self.tracker.artefact, POINTER)
        self.collector.pivot(self.tracker.pivot())
        self.guide = Guide(self.tracker.artefact, self.asked, self.collector, DWELL_S, {})
        self.about = Assessed(
            artefact=self.tracker.artefact, design=design, tool=POINTER, tracker="t", source="s", rig_hash="r", begun_utc="2026-01-01T00:00:00"
        )

    def touch(self, touch: Touch) -> Taken | None:
        """Touch a point, whether or not it is the one that is asked for."""
        taken = None
        for frame in self.tracker.touched(touch, HELD_S):
            taken = self.guide.see(frame) or taken
        return taken

    def said(self) -> str:
        said = "\n".join(line.text for line in self.guide.lines)
        self.guide.lines.clear()
        return said

    def do_all(self) -> Assessment:
        for _ in range(3 * len(self.asked)):
            if (wanted := self.guide.wanted) is None:
                break
            self.touch(wanted)
        return assess(self.about, list(self.guide.taken.values()), len(self.asked), self.tracker.T_ref_from_artefact)


@pytest.fixture(scope="module")
def done() -> tuple[Bench, Assessment]:
    bench = Bench()
    return bench, bench.do_all()


def test_everything_asked_for_is_taken_and_judged(done: tuple[Bench, Assessment]) -> None:
    bench, found = done
    assert found.complete and found.touches == len(bench.asked) == 2 * (6 + 3 + 6)
    assert set(found.fits) == set(FITS) and set(found.lengths) == {"middle", "near"}
    assert found.fits["truth"].points["near"].n == 6 and found.fits["truth"].centre["near"].n == 3
    assert all(lean.n == 3 for leans in found.leans.values() for lean in leans.values())


def test_the_figures_are_those_of_the_simulated_truth(done: tuple[Bench, Assessment]) -> None:
    """Worked out afresh from what was taken: the tip in the block's axes, by the truth, less the divot."""
    bench, found = done
    T_artefact_from_ref = bench.tracker.T_ref_from_artefact.inverse()
    errors = [
        np.array(T_artefact_from_ref.point(t.position_ref_mm)) - bench.tracker.artefact.positions_mm((t.touch.point,))[0]
        for t in bench.guide.taken.values()
        if t.touch.test == "point"
    ]
    lengths = np.linalg.norm(errors, axis=1)
    assert figures_of(found)["single point mean mm"] == pytest.approx(lengths.mean())
    assert figures_of(found)["single point max mm"] == pytest.approx(lengths.max())
    assert 0.01 < lengths.mean() < 0.3


def test_a_fit_only_ever_hides_error(done: tuple[Bench, Assessment]) -> None:
    fits = done[1].fits
    assert fits[FITS[0]].all_points.rms_mm <= fits[FITS[1]].all_points.rms_mm <= fits[FITS[2]].all_points.rms_mm
    assert fits[FITS[0]].points["near"].bias_length_mm < 1e-9


def test_a_tip_that_is_known_wrongly_shows_in_the_orientation(done: tuple[Bench, Assessment]) -> None:
    """1 mm beside, square to the axis: turning from -45 to 45 deg about its own axis, the tip goes 2 sin(45 deg) mm; leaning, about the same for
    the part along the lean only. Distances between upright touches hardly show it."""
    bench = Bench()
    tip_mm, covariance = bench.collector.tip
    tool = msgspec.structs.replace(bench.tracker.rig.tool[0], tip_mm=(tip_mm[0] + 1.0, *tip_mm[1:]), tip_covariance=covariance)
    bench.tracker.rig = msgspec.structs.replace(bench.tracker.rig, tool=(tool,))
    bench.guide.collector = Collector(bench.tracker.rig, bench.tracker.artefact, POINTER)
    found = bench.do_all()
    assert found.leans["near"]["turn about own axis"].span_mm == pytest.approx(np.sqrt(2.0), abs=0.25)
    assert found.all_lengths.rms_mm < 0.15 and done[1].leans["near"]["turn about own axis"].span_mm < 0.3


def test_another_point_is_not_taken_for_the_one_that_is_asked_for() -> None:
    bench = Bench()
    for touch in bench.asked[:4]:
        assert bench.touch(touch) is not None
    wrong = msgspec.structs.replace(bench.asked[5], number=4)
    bench.said()
    assert bench.touch(wrong) is None
    assert f"that was {bench.asked[5].point}" in bench.said() and 4 not in bench.guide.taken
    assert bench.touch(bench.asked[4]) is not None


def test_first_touches_that_do_not_fit_each_other_are_taken_again() -> None:
    bench = Bench()
    assert bench.touch(bench.asked[3]) is not None
    for _ in range(3):
        assert bench.touch(bench.asked[1]) is None
    assert "begun anew" in bench.said() and not bench.guide.taken and bench.guide.forgotten == [0]
    assert bench.touch(bench.asked[0]) is not None


def test_the_same_place_is_not_taken_for_another() -> None:
    design = msgspec.structs.replace(DESIGN, points=4, repeats=2, leans_deg=(), turns_deg=())
    bench = Bench(design)
    for touch in bench.asked[:6]:
        assert bench.touch(touch) is not None
    assert "still stands at 'middle'" in bench.said()
    stays = msgspec.structs.replace(bench.asked[6], place="middle")
    assert bench.touch(stays) is None and bench.guide.held_up
    assert bench.touch(bench.asked[6]) is not None


def test_the_tip_has_to_be_lifted_between_two_touches_of_one_point() -> None:
    """Held on, a tip gives one touch: repeats that were one touch would make precision look better than it is."""
    bench = Bench(msgspec.structs.replace(DESIGN, points=4))
    for touch in bench.asked[:4]:
        bench.touch(touch)
    taken = [bench.guide.see(frame) for frame in bench.tracker.touched(bench.asked[4], 6.0)]
    assert sum(t is not None for t in taken) == 1


@pytest.mark.parametrize(
    ("touch", "posture", "words"),
    [
        (Touch(number=0, place="near", test="point", point="M"), Posture(25.0, 0.0, 0.0), "leaned by 25 deg"),
        (Touch(number=0, place="near", test="lean", point="M", axis="east", angle_deg=30.0), Posture(-30.0, 0.0, 0.0), "-30 deg to the right"),
        (Touch(number=0, place="near", test="lean", point="M", axis="north", angle_deg=30.0), Posture(0.0, 12.0, 0.0), "+12 to the top"),
        (Touch(number=0, place="near", test="lean", point="M", axis="own", angle_deg=45.0), Posture(0.0, 0.0, -45.0), "turned by -45"),
    ],
)
def test_a_pointer_held_otherwise_is_told_so(touch: Touch, posture: Posture, words: str) -> None:
    assert words in wrong_posture(touch, posture)
    assert not wrong_posture(touch, Posture(*(touch.angle_deg * (touch.axis == axis) for axis in ("east", "north", "own"))))


def test_a_file_is_gone_on_with(tmp_path: Path, done: tuple[Bench, Assessment]) -> None:
    """Broken off in the middle of a line: what was whole counts, what was cut is written over, what was forgotten is asked for again."""
    bench, found = done
    path, taken = tmp_path / "t.jsonl", list(bench.guide.taken.values())
    file = TouchFile(path, bench.about)
    for t in taken[:10]:
        file.add(t)
    file.forget((9,))
    file.close()
    path.write_bytes(path.read_bytes() + b'{"kind":"taken","touch":{"num')
    again = TouchFile(path, msgspec.structs.replace(bench.about, begun_utc="2026-02-02T00:00:00"))
    assert sorted(again.taken) == list(range(9)) and again.about == bench.about
    for t in taken[9:]:
        again.add(t)
    again.close()
    about, back = read_touches(path)
    assert assess(about, back, len(bench.asked), bench.tracker.T_ref_from_artefact) == found


def test_a_file_of_another_rig_is_not_gone_on_with(tmp_path: Path, done: tuple[Bench, Assessment]) -> None:
    TouchFile(tmp_path / "t.jsonl", done[0].about).close()
    for changed in ({"rig_hash": "other"}, {"tool": "drill"}, {"design": msgspec.structs.replace(DESIGN, repeats=4)}):
        with pytest.raises(InputRefused, match="begun with another"):
            TouchFile(tmp_path / "t.jsonl", msgspec.structs.replace(done[0].about, **changed))


@pytest.mark.parametrize("text", ["", "{}\n", '{"kind":"taken"}\n', "\x00\xff\n", '{"kind":"forgotten","numbers":[1]}\n'])
def test_a_file_that_is_no_assessment_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(InputRefused, match="assess"):
        read_touches(path)


def test_the_report_says_the_same_in_every_form(tmp_path: Path, done: tuple[Bench, Assessment]) -> None:
    found = done[1]
    write_html(tmp_path / "a.html", found)
    write_csv(tmp_path / "a.csv", found)
    page, table = (tmp_path / "a.html").read_text(), (tmp_path / "a.csv").read_text()
    mean = f"{found.fits['truth'].all_points.mean_mm:.3f}"
    assert mean in page and mean in table and page.count("<svg") == 3 and "no conformity is claimed" in page
    assert as_json(found)["figures"]["single point mean mm"] == found.fits["truth"].all_points.mean_mm
    assert len({rows.title for rows in tables_of(found)}) == 6


def test_the_printed_sheet_survives_its_file_and_the_ruler(tmp_path: Path) -> None:
    sheet = printed_sheet()
    (tmp_path / "points.toml").write_text(artefact_text(sheet))
    assert read_artefact(tmp_path / "points.toml") == sheet
    measured = sheet.scaled(160.8)
    assert np.linalg.norm(np.diff(measured.positions_mm(("A1", "E1")), axis=0)) == pytest.approx(160.8)
    with pytest.raises(InputRefused, match="Check the number"):
        sheet.scaled(16.0)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"centre": "Z9"}, "no point 'Z9'"),
        ({"point": printed_sheet().point[:3]}, "3 points"),
        ({"point": tuple(ArtefactPoint(f"P{n}", (10.0 * n, 0.0, 0.0)) for n in range(5)), "centre": "P0"}, "one line"),
        ({"sd_mm": -0.1}, "negative"),
    ],
)
def test_an_artefact_that_says_nothing_is_refused(changed: dict[str, object], words: str) -> None:
    known = {f: getattr(printed_sheet(), f) for f in printed_sheet().__struct_fields__}
    with pytest.raises(InputRefused, match=words):
        Artefact(**{**known, **changed})


def test_the_first_three_points_say_how_the_artefact_stands() -> None:
    first = printed_sheet().positions_mm(spread_order(printed_sheet())[:3])
    area = np.linalg.norm(np.cross(first[1] - first[0], first[2] - first[0]))
    assert area > 0.9 * 160.0 * 120.0
