"""Views of a board from a stream of pictures: which are worth keeping, and what the user should do next."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from navtwin.nouns import SourceEnded
from tracking.calibration.board_progress import BoardScreen
from tracking.calibration.coverage import coverage, guessed_poses, next_move
from tracking.calibration.targets import BoardView, Target
from tracking.opencv import cv2
from tracking.pictures.images import ImageSource

Array = npt.NDArray[np.float64]
Exposure = dict[int, BoardView]

#: A board that crosses the image faster than this share of its width in a second is moving: blur and a rolling readout would bend it.
STILL_SHARE = 0.08
#: A view is new if the board's outline lies this share of the image's diagonal from where it was in every view kept.
NEW_SHARE = 0.05
MOST_VIEWS = 60
#: Guidance is repeated after this time.
REPEAT_NS = 3_000_000_000


class ViewPicker:
    """Keeps still, new views of one board, seen by one or several cameras at once."""

    def __init__(self, target: Target, *, keep_all: bool) -> None:
        self.kept: list[Exposure] = []
        self._target, self._keep_all = target, keep_all
        self._last: dict[int, tuple[int, BoardView]] = {}
        self._outlines: list[dict[int, Array]] = []
        ends = target.corners_mm[:, :2]
        low, high = ends.min(axis=0), ends.max(axis=0)
        self._ends = np.array([low, (high[0], low[1]), high, (low[0], high[1])])

    def offer(self, pictures: dict[int, tuple[int, npt.NDArray[np.uint8], str]]) -> str:
        """Take pictures (time of capture in ns, grey, name) by camera; say what is wrong with them, "kept" if nothing is."""
        views: Exposure = {}
        for camera, (t_ns, grey, name) in pictures.items():
            view = self._target.view(grey, name)
            if view is not None:
                views[camera] = _with_speed(view, self._speed(camera, t_ns, view))
                self._last[camera] = (t_ns, view)
            else:
                self._last.pop(camera, None)
        if not views:
            return "no board in the picture: show it whole, evenly lit"
        if not self._keep_all:
            if any(v.speed_px_s is None or v.speed_px_s > STILL_SHARE * v.width_px for v in views.values()):
                return "hold still"
            if not self._is_new(views):
                return "seen"
        self._outlines.append({c: self._outline(v) for c, v in views.items()})
        self.kept.append(views)
        return "kept"

    def in_view(self) -> Exposure:
        """The board as the pictures offered last show it, by camera."""
        return {camera: view for camera, (_, view) in self._last.items()}

    def _speed(self, camera: int, t_ns: int, view: BoardView) -> float | None:
        if camera not in self._last:
            return None
        before_ns, before = self._last[camera]
        _, now, then = np.intersect1d(view.ids, before.ids, return_indices=True)
        if not len(now) or not 0 < t_ns - before_ns < 500_000_000:
            return None
        moved = np.linalg.norm(view.seen_px[now] - before.seen_px[then], axis=1)
        return float(np.median(moved)) / (t_ns - before_ns) * 1e9

    def _outline(self, view: BoardView) -> Array:
        """(4, 2) where the board's ends lie in the image, px; those out of view by the homography of the others."""
        homography = cv2.findHomography(view.board_mm[:, :2], view.seen_px)[0]
        if homography is None:
            return np.tile(view.seen_px.mean(axis=0), (4, 1))
        return np.asarray(cv2.perspectiveTransform(self._ends[None], homography)[0], dtype=np.float64)

    def _is_new(self, views: Exposure) -> bool:
        for camera, view in views.items():
            outline, diagonal = self._outline(view), float(np.hypot(view.width_px, view.height_px))
            before = [o[camera] for o in self._outlines if camera in o]
            if all(np.linalg.norm(outline - other, axis=1).mean() > NEW_SHARE * diagonal for other in before):
                return True
        return False


def _with_speed(view: BoardView, speed_px_s: float | None) -> BoardView:
    return BoardView(view.ids, view.board_mm, view.seen_px, view.width_px, view.height_px, view.name, speed_px_s)


def guidance(kept: list[Exposure], cameras: int) -> str | None:
    """What to do next; None once the views suffice."""
    for camera in range(cameras):
        views = [e[camera] for e in kept if camera in e]
        if not views:
            return "show the board to the camera" if cameras == 1 else f"show the board to camera {camera}"
        move = next_move(coverage(views, guessed_poses(views)), len(views))
        if move is not None:
            return move if cameras == 1 else f"camera {camera}: {move}"
    return None


def gather(
    source: ImageSource,
    target: Target,
    say: Callable[[str], None],
    *,
    keep_all: bool,
    most: int = MOST_VIEWS,
    seconds: float = 300.0,
    screen: BoardScreen | None = None,
) -> list[Exposure]:
    """Read a source until its views suffice (live), or to its end (a recording), and keep what is worth keeping.

    Parameters
    ----------
    say : takes each line of guidance
    keep_all : take every picture that shows the board, as in a folder of chosen pictures
    most : views at most
    seconds : a live source is read no longer than this
    screen : follows it, and may end it
    """
    picker, told, told_ns, first_ns = ViewPicker(target, keep_all=keep_all), "", 0, None
    while len(picker.kept) < most:
        try:
            item = source.read(0.5)
        except SourceEnded:
            break
        if not isinstance(item, (tuple, list)) or not item:
            if screen is not None and screen.idle():
                break
            continue
        now_ns = item[0].t_capture_ns
        first_ns = now_ns if first_ns is None else first_ns
        said = picker.offer({p.camera: (p.t_capture_ns, p.grey, f"picture {p.number}") for p in item})
        if not source.live:
            if screen is not None and screen.saw(item, picker.in_view(), picker.kept, f"reading {source.name}: {said}"):
                break
            continue
        if now_ns - first_ns > seconds * 1e9:
            break
        move = guidance(picker.kept, source.cameras) if said in ("kept", "seen") else said
        if screen is not None and screen.saw(item, picker.in_view(), picker.kept, move or "that is enough"):
            break
        if said == "kept":
            say(f"{len(picker.kept)} views kept" + (f"; {move}" if move else ""))
            told, told_ns = move or "", now_ns
        elif move and (move != told or now_ns - told_ns > REPEAT_NS):
            say(move)
            told, told_ns = move, now_ns
        if move is None:
            break
    if not source.live:
        move = guidance(picker.kept, source.cameras)
        say(f"{len(picker.kept)} views kept" + (f"; what would help most: {move}" if move else ""))
    return picker.kept
