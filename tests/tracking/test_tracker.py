"""From pictures to tracker frames: every body gets a word, the right pose, and the right refusal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from navtwin.errors import InputRefused
from navtwin.nouns import Body, Rig, RigCamera, Smoothing, SquareMarker, Tracker, TrackerFrame
from navtwin.rigid import Rigid
from tests.tracking.printed import NUMBER, POSE, SIDE_MM, printed_rig, rig_camera, shown
from tests.tracking.rendered import CAMERA, picture, placed
from tracking.commands.look import look
from tracking.detect.strangers import EVERY_NS, PATIENCE_NS
from tracking.opencv import cv2
from tracking.pictures.faults import FROZEN_PICTURES
from tracking.pictures.images import Image
from tracking.pictures.video import open_video
from tracking.stream.annotate import annotate, words_of
from tracking.stream.tracker import MarkerTracker

VIDEOS = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "tracking" / "aruco"
needs_videos = pytest.mark.skipif(not VIDEOS.is_dir(), reason="the public ArUco videos are not here")
PERIOD_NS = 33_000_000


def image(grey: np.ndarray, number: int = 0, camera: int = 0, t_ns: int | None = None) -> Image:
    t_ns = number * PERIOD_NS if t_ns is None else t_ns
    return Image(camera, number, t_ns, t_ns + 20_000_000, "host", grey)


@pytest.fixture(scope="module")
def grey() -> np.ndarray:
    return shown()


def test_every_printed_body_gets_a_word_and_the_one_in_view_its_pose(grey: np.ndarray) -> None:
    frame = MarkerTracker(printed_rig(), "camera:test").track([image(grey, 5)])
    assert (frame.source, frame.number, frame.t_capture_ns, frame.t_arrival_ns) == ("camera:test", 5, 5 * PERIOD_NS, 5 * PERIOD_NS + 20_000_000)
    seen, unseen = frame.sightings
    assert (seen.body, seen.status, seen.corners) == ("body7", "OK", 4)
    assert seen.pose is not None
    assert np.linalg.norm(np.subtract(seen.pose.t_mm, POSE.t_mm)) < 0.2
    assert (unseen.body, unseen.status, unseen.pose) == ("body8", "OUT_OF_VIEW", None)
    assert "none of the body's markers" in unseen.reason
    assert seen.rms_px is not None
    # One pixel is z / f mm wide at the body.
    assert seen.rms_mm == pytest.approx(seen.rms_px * POSE.t_mm[2] / CAMERA.matrix[0, 0], rel=0.01)
    assert frame.stages is not None
    assert frame.stages.t_detected_ns <= frame.stages.t_posed_ns
    assert frame.filter is None


def test_the_covariance_is_the_upper_triangle_turned_first(grey: np.ndarray) -> None:
    covariance = MarkerTracker(printed_rig()).track([image(grey)]).sightings[0].covariance
    assert covariance is not None
    whole = np.zeros((6, 6))
    whole[np.triu_indices(6)] = covariance
    whole += np.triu(whole, 1).T
    assert np.linalg.eigvalsh(whole).min() > 0.0
    # Depth is what one camera knows least; the turns are in radians.
    assert np.argmax(np.diag(whole)) == 5
    assert np.diag(whole)[:3].max() < 1e-4


def test_two_cameras_give_one_pose_in_the_first_ones_axes() -> None:
    T_tracker_from_second = placed((0.0, -0.25, 0.0), (100.0, 0.0, 15.0))
    T_tracker_from_second = Rigid(
        tuple(map(tuple, (np.array(T_tracker_from_second.rotation) @ np.diag((1.0, -1.0, -1.0))).tolist())),  # type: ignore[arg-type]
        T_tracker_from_second.t_mm,
        "tracker",
        "camera/second",
    )
    rig = printed_rig((rig_camera("first"), rig_camera("second", T_tracker_from_second)), numbers=(NUMBER,))
    body_in_tracker = Rigid(POSE.rotation, POSE.t_mm, "tracker", "body")
    body_in_second = T_tracker_from_second.inverse() @ body_in_tracker
    pictures = [image(shown()), image(shown(Rigid(body_in_second.rotation, body_in_second.t_mm, "camera", "body")), camera=1, t_ns=2_000_000)]
    tracker = MarkerTracker(rig)
    both, alone = tracker.track(pictures), MarkerTracker(rig).track(pictures[1:])
    for frame, corners, limit_mm in ((both, 8, 0.1), (alone, 4, 0.3)):
        (sighting,) = frame.sightings
        assert (sighting.status, sighting.corners) == ("OK", corners)
        assert sighting.pose is not None
        assert np.linalg.norm(np.subtract(sighting.pose.t_mm, POSE.t_mm)) < limit_mm
    assert both.t_capture_ns == 1_000_000
    # The second camera sees along another line: depth is known far better together than alone.
    assert both.sightings[0].covariance is not None
    assert alone.sightings[0].covariance is not None
    assert max(both.sightings[0].covariance[i] for i in (15, 18, 20)) < max(alone.sightings[0].covariance[i] for i in (15, 18, 20))


def test_exposures_too_far_apart_are_not_mixed(grey: np.ndarray) -> None:
    rig = printed_rig((rig_camera("first"), rig_camera("second", Rigid.identity("tracker", "camera/second"))), numbers=(NUMBER,))
    frame = MarkerTracker(rig).track([image(grey, t_ns=0), image(grey, camera=1, t_ns=17_000_000)])
    assert (frame.sightings[0].corners, frame.t_capture_ns) == (4, 17_000_000)


def test_a_frozen_picture_gives_no_pose_though_its_markers_are_sharp(grey: np.ndarray) -> None:
    tracker = MarkerTracker(printed_rig(), live=True)
    frames = [tracker.track([image(grey.copy(), n)]) for n in range(FROZEN_PICTURES)]
    assert frames[0].sightings[0].status == "OK"
    assert {(s.status, s.pose) for s in frames[-1].sightings} == {("INVALID", None)}
    assert all("frozen" in s.reason for s in frames[-1].sightings)
    noisy = [MarkerTracker(printed_rig(), live=True).track([image(shown(noise_seed=n), n)]) for n in range(2)]
    assert all(frame.sightings[0].status == "OK" for frame in noisy)


def test_a_black_picture_is_refused_by_reason() -> None:
    black = np.zeros((CAMERA.height_px, CAMERA.width_px), np.uint8)
    frame = MarkerTracker(printed_rig()).track([image(black)])
    assert {s.status for s in frame.sightings} == {"INVALID"}
    assert all("black" in s.reason for s in frame.sightings)


def test_a_blind_camera_does_not_take_the_other_one_along(grey: np.ndarray) -> None:
    rig = printed_rig((rig_camera("first"), rig_camera("second", Rigid.identity("tracker", "camera/second"))), numbers=(NUMBER,))
    frame = MarkerTracker(rig).track([image(grey), image(np.zeros_like(grey), camera=1)])
    assert (frame.sightings[0].status, frame.sightings[0].corners) == ("OK", 4)
    assert "second: the camera's picture is black" in frame.sightings[0].reason


def test_a_marker_shown_twice_is_not_used_and_named(grey: np.ndarray) -> None:
    twice = np.minimum(grey, shown(placed((0.4, 0.2, 0.0), (-110.0, 20.0, 420.0))))
    (sighting, _) = MarkerTracker(printed_rig()).track([image(twice)]).sightings
    assert (sighting.status, sighting.pose) == ("OUT_OF_VIEW", None)
    assert f"marker {NUMBER} is in the image more than once" in sighting.reason


def test_a_body_says_which_of_its_markers_is_there_twice(grey: np.ndarray) -> None:
    """A body of two markers keeps its pose by the one that is unique."""
    half = SIDE_MM / 2.0
    corners = ((-half, half, 0.0), (half, half, 0.0), (half, -half, 0.0), (-half, -half, 0.0))
    away = tuple((x + 300.0, y, z) for x, y, z in corners)
    body = Body(
        name="two", sd_mm=0.1, sd_rad=0.001, dictionary="APRILTAG_36h11",
        marker=(SquareMarker(id=NUMBER, corners_mm=corners), SquareMarker(id=9, corners_mm=away)),  # type: ignore[arg-type]
    )  # fmt: skip
    rig = Rig(reference="two", tracker=Tracker(name="t", rate_hz=30.0, latency_ms=20.0), body=(body,), tool=(), camera=(rig_camera(),))
    second = shown(placed((0.4, 0.2, 0.0), (-110.0, 20.0, 420.0)), 9)
    third = shown(placed((0.2, -0.3, 0.0), (-110.0, -90.0, 420.0)), 9)
    (sighting,) = MarkerTracker(rig).track([image(np.minimum(np.minimum(grey, second), third))]).sightings
    assert (sighting.status, sighting.corners) == ("OK", 4)
    assert "marker 9 is in the picture twice" in sighting.reason


def test_another_dictionary_is_named_after_three_seconds_and_no_longer_than_needed() -> None:
    other, own = picture(12, SIDE_MM, POSE, cv2.aruco.DICT_6X6_250, 8), shown()
    tracker = MarkerTracker(printed_rig())
    times = [n * EVERY_NS // 2 for n in range(14)]
    reasons = [tracker.track([image(other, n, t_ns=t)]).sightings[0].reason for n, t in enumerate(times)]
    first = next((t for t, reason in zip(times, reasons, strict=True) if "1 of 6X6_50 are: another dictionary than the rig's" in reason), None)
    assert first is not None, reasons
    assert PATIENCE_NS < first <= PATIENCE_NS + 2 * EVERY_NS
    # And it is over when one of the rig's own is seen (the whole picture is searched within a few frames).
    back = [tracker.track([image(own, n, t_ns=times[-1] + n * PERIOD_NS)]) for n in range(1, 7)][-1]
    assert back.sightings[0].status == "OK"
    assert "6X6" not in back.sightings[1].reason


def test_other_numbers_of_the_rigs_dictionary_are_named_too() -> None:
    other = picture(300, SIDE_MM, POSE, cv2.aruco.DICT_APRILTAG_36h11, 8)
    tracker = MarkerTracker(printed_rig())
    frames = [tracker.track([image(other, n, t_ns=n * EVERY_NS)]) for n in range(6)]
    assert "1 of APRILTAG_36h11 are: other numbers than the rig's" in frames[-1].sightings[0].reason


def test_pictures_that_do_not_fit_the_calibration_are_refused(grey: np.ndarray) -> None:
    tracker = MarkerTracker(printed_rig())
    with pytest.raises(InputRefused, match=r"640 x 360 px, and camera 'webcam' is calibrated for 1280 x 720"):
        tracker.track([image(np.ascontiguousarray(grey[::2, ::2]))])
    with pytest.raises(InputRefused, match=r"camera 1, and the rig has 1"):
        tracker.track([image(grey, camera=1)])


def test_a_rig_that_cannot_be_tracked_with_is_refused_with_the_remedy() -> None:
    with pytest.raises(InputRefused, match=r"no calibrated camera.*navtwin calibrate camera"):
        MarkerTracker(printed_rig(()))
    with pytest.raises(InputRefused, match=r"no body of the rig has printed markers"):
        MarkerTracker(printed_rig(numbers=(NUMBER,)).__class__(
            reference="s", tracker=Tracker(name="t", rate_hz=30.0, latency_ms=1.0), body=(Body(name="s", sd_mm=1.0, sd_rad=0.1),), tool=(),
            camera=(rig_camera(),),
        ))  # fmt: skip
    with pytest.raises(InputRefused, match="no marker dictionary"):
        MarkerTracker(printed_rig(dictionary="9X9_50")).track([image(shown())])


def test_smoothing_is_declared_in_the_frame_that_it_touches(grey: np.ndarray) -> None:
    tracker = MarkerTracker(printed_rig(smoothing=Smoothing(kind="one-euro")))
    frames = [tracker.track([image(grey, n)]) for n in range(3)]
    assert all(f.filter is not None for f in frames)
    nothing = tracker.track([image(np.full_like(grey, 90), 3)])
    assert nothing.filter is None
    pose = frames[-1].sightings[0].pose
    assert pose is not None
    assert np.linalg.norm(np.subtract(pose.t_mm, POSE.t_mm)) < 0.3


# Real films


def film_rig(rows_of: dict[str, tuple[str, list[tuple[int, list[list[float]]]]]]) -> Rig:
    """The rig of the public films, with the calibration that comes with them."""
    bodies = [
        Body(
            name=name,
            sd_mm=0.5,
            sd_rad=0.01,
            dictionary=dictionary,
            marker=tuple(SquareMarker(id=n, corners_mm=tuple(map(tuple, c))) for n, c in markers),  # type: ignore[arg-type]
        )
        for name, (dictionary, markers) in rows_of.items()
    ]
    camera = RigCamera(
        name="film", width_px=640, height_px=480, focal_px=(560.0, 560.0), centre_px=(320.0, 240.0), distortion=(0.1, 0.0, 0.0, 0.0, 0.0)
    )
    return Rig(reference=bodies[0].name, tracker=Tracker(name="film", rate_hz=30.0, latency_ms=20.0), body=tuple(bodies), tool=(), camera=(camera,))


def read_body(name: str) -> list[tuple[int, list[list[float]]]]:
    rows = np.atleast_2d(np.loadtxt(VIDEOS / name))
    return [(int(row[0]), row[4:16].reshape(4, 3).tolist()) for row in rows]


def tracked(film: str, rig: Rig) -> list[TrackerFrame]:
    source, tracker = open_video(str(VIDEOS / film), rig), MarkerTracker(rig)
    return [tracker.track(pictures) for pictures in source._exposures]


@needs_videos
def test_board_and_pointer_of_a_real_film(tmp_path: Path) -> None:
    rig = film_rig({"reference": ("ARUCO_ORIGINAL", read_body("reference.txt")), "pointer": ("DICT_ARUCO_ORIGINAL", read_body("pointer.txt"))})
    frames = tracked("multipattern.avi", rig)
    board = [f.sightings[0] for f in frames]
    assert sum(s.status == "OK" for s in board) >= 8, [s.reason for s in board]
    for s in board:
        if s.pose is not None:
            assert s.rms_px is not None
            assert s.rms_px < 1.0
            assert s.corners is not None
            assert s.corners >= 24
    out = tmp_path / "frame.png"
    frame, _ = annotate(open_video(str(VIDEOS / "multipattern.avi"), rig), rig, out, 4)
    drawn = cv2.imread(str(out))
    assert drawn.shape[0] > 480, "the caption stands below the picture"
    assert drawn.shape[1] == 640
    # Colour stands only where something was drawn: the film's own pictures went in grey.
    assert (np.ptp(drawn[:480].astype(int), axis=2) > 60).sum() > 500
    assert words_of(frame.sightings[0]).startswith("reference: OK, ")


def test_annotating_beyond_the_end_is_refused(tmp_path: Path, grey: np.ndarray) -> None:
    from tracking.pictures.folder import open_images

    cv2.imwrite(str(tmp_path / "a.png"), grey)
    rig = printed_rig()
    with pytest.raises(InputRefused, match="has 1 exposures"):
        annotate(open_images(str(tmp_path), rig), rig, tmp_path / "out.png", 1)
    with pytest.raises(InputRefused, match=r"neither \.png nor \.jpg"):
        annotate(open_images(str(tmp_path), rig), rig, tmp_path / "out.gif")


def test_looking_from_the_shell_saves_the_picture_and_tells_by_exit_code(tmp_path: Path, grey: np.ndarray) -> None:
    folder, rig = tmp_path / "pictures", tmp_path / "rig.toml"
    folder.mkdir()
    cv2.imwrite(str(folder / "0.png"), grey)
    cv2.imwrite(str(folder / "1.png"), np.full_like(grey, 120))
    corners = "[[-30.0, 30.0, 0.0], [30.0, 30.0, 0.0], [30.0, -30.0, 0.0], [-30.0, -30.0, 0.0]]"
    rig.write_text(f"""
reference = "plate"
tool = []
tracker = {{ name = "webcam", rate_hz = 30.0, latency_ms = 20.0 }}
camera = [{{ name = "webcam", width_px = 1280, height_px = 720, focal_px = [900.0, 900.0], centre_px = [640.0, 360.0] }}]
[[body]]
name = "plate"
sd_mm = 0.2
sd_rad = 0.01
dictionary = "APRILTAG_36h11"
marker = [{{ id = {NUMBER}, corners_mm = {corners} }}]
""")
    app = typer.Typer()
    app.command()(look)
    out = tmp_path / "out.png"
    arguments = [f"images:{folder}", "--rig", str(rig), "--out", str(out)]
    seen = CliRunner().invoke(app, arguments)
    assert seen.exit_code == 0, seen.output
    assert "plate: OK, " in seen.output
    assert "note: no frames.csv" in seen.output
    assert cv2.imread(str(out)) is not None
    unseen = CliRunner().invoke(app, [*arguments, "--exposure", "1"])
    assert unseen.exit_code == 1
    assert "plate: OUT_OF_VIEW, none of the body's markers is seen" in unseen.output
