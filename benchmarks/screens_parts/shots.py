"""What is pictured: each place of the desktop in a state that shows what it is for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QPushButton

from screens_parts.reel import Frame, Reel, Screening

if TYPE_CHECKING:
    from gui.desktop.keys import PlaceName
    from gui.desktop.window import Window


@dataclass
class Studio:
    """What the pictures are taken of."""

    window: Window
    screening: Screening
    reel: Reel
    log: Path
    #: What has been prepared already, by the name of its shot.
    done: set[str] = field(default_factory=set)

    def place(self, name: PlaceName) -> Any:
        """Bring a place to the front."""
        self.window.go(name)
        return self.window.places[name]


@dataclass(frozen=True)
class Shot:
    """One picture.

    Attributes
    ----------
    prepare : brings the window there; called once
    ready : whether all that is loaded beside the window is there
    moving : it never comes to rest, and is pictured once it is ready
    follows : it goes on from where the one before it ended
    """

    name: str
    prepare: Callable[[Studio], None]
    ready: Callable[[Studio], bool] = lambda _studio: True
    moving: bool = False
    follows: bool = False


def _told(*wanted: str, technical: str = "") -> Callable[[Frame], bool]:
    """Frames with all of these alerts, and, if named, with a technical alarm that begins so."""

    def fits(frame: Frame) -> bool:
        alarms = [alarm.id for alarm in frame.alerts.technical]
        return set(wanted) <= set(frame.told()) and (not technical or any(alarm.startswith(technical) for alarm in alarms))

    return fits


def _navigate(wanted: Callable[[Frame], bool], after_ms: int, view: str = "posterior") -> Callable[[Studio], None]:
    def prepare(studio: Studio) -> None:
        studio.screening.show(studio.reel.find(wanted, after_ms))
        studio.place("navigate").scenery.choose_view(view)

    return prepare


def _painted(view: Any) -> bool:
    """Whether a picture in 3D is as fine as it will be; a view that is painted in the window's own thread always is."""
    return view.cost_s() is not None and getattr(view, "settled", True)


def _navigating(studio: Studio) -> bool:
    scenery = studio.window.places["navigate"].scenery
    slices = scenery.slices
    return _painted(scenery.view) and not slices.scan_words and all(pane.words != "LOADING" for pane in slices.panes.values())


def _case(page: str) -> Callable[[Studio], None]:
    def prepare(studio: Studio) -> None:
        studio.screening.show(None)
        place = studio.place("case")
        place.show_page(page)
        scene = studio.window.desk.scene
        assert scene is not None
        plan = scene.plans[0]
        place.slices.go_to(plan.target_mm)

    return prepare


def _case_tools(studio: Studio) -> None:
    _case("tools")(studio)
    studio.window.places["case"].tools.take("bone")


def _case_new(studio: Studio) -> None:
    place = studio.place("case")
    place.tools.take(None)
    place.show_page("structures")
    next(button for button in place.findChildren(QPushButton) if button.text().startswith("Other case")).click()


def _register(studio: Studio) -> None:
    waiting = studio.reel.find(lambda frame: frame.setup is not None and "registration" in frame.setup.pending, 200)
    studio.screening.show(waiting)
    studio.place("register")


def _calibrate_camera(studio: Studio) -> None:
    """A kit's camera, with the rendered camera to practise on in its place."""
    studio.screening.show(None)
    rig = studio.log.parent / "kit" / "rig.toml"
    rig.parent.mkdir(exist_ok=True)
    make = ["markers", "sheet", "--out", str(rig.parent / "sheet.pdf"), "--rig", str(rig), "--force"]
    subprocess.run([sys.executable, "-m", "navtwin", *make], check=True, stdout=subprocess.DEVNULL)
    place = studio.place("calibrate")
    studio.window.desk.open_rig(rig)
    place.choose("camera/")
    page = place.pages["camera"]
    kinds = page.prepare.source.kind
    kinds.setCurrentIndex(kinds.findText("Rendered camera, to practise"))
    page.start.click()


def _half_way(studio: Studio) -> bool:
    """In the midst of collecting; a calibration that was done before its pictures were all taken is begun again."""
    page = studio.window.places["calibrate"].pages["camera"]
    match page.course.phase:
        case "deciding":
            page.reject.click()
        case "over":
            page.again.click()
            page.start.click()
    return bool(page.live.picture.shots) and page.course.phase == "collecting" and (page.course.share or 0.0) > 0.3


def _nothing(_studio: Studio) -> None:
    """It is there already."""


def _decided(studio: Studio) -> bool:
    page = studio.window.places["calibrate"].pages["camera"]
    if page.finish.isVisible() and page.finish.isEnabled():
        page.finish.click()
    return page.course.phase == "deciding" and page.live.picture.evidence is not None


def _calibrate_tip(studio: Studio) -> None:
    """Back to the rehearsal's own rig."""
    place = studio.place("calibrate")
    case = studio.window.desk.folder
    assert case is not None
    studio.window.desk.open_rig(case / "rig.toml")
    studio.screening.show(studio.reel.find(lambda frame: frame.setup is not None and "pivot/drill" in frame.setup.pending, 200))
    place.choose("pivot/drill")


def _review(studio: Studio) -> None:
    studio.screening.show(studio.reel.frames[-1])
    studio.screening.show(None)
    studio.place("review").open(studio.log)


def _reviewed(studio: Studio) -> bool:
    review = studio.window.places["review"].place
    if review is None or review.scene is None or review.view is None:
        return False
    if "review" not in studio.done:
        studio.done.add("review")
        session = review.session
        danger = next(span for span in session.alerts if span.level == "DANGER")
        review.choose(danger.id.split("/")[0])
        review.seek((danger.start_ns + danger.end_ns) // 2)
        return False
    return _painted(review.view)


SHOTS: tuple[Shot, ...] = (
    Shot("case", _case("structures")),
    Shot("case-plan", _case("plan")),
    Shot("case-tools", _case_tools),
    Shot("case-new", _case_new),
    Shot("calibrate", _calibrate_camera, _half_way, moving=True),
    Shot("calibrate-verdict", _nothing, _decided, moving=True, follows=True),
    Shot("calibrate-tip", _calibrate_tip),
    Shot("register", _register),
    Shot("navigate", _navigate(lambda frame: frame.alerts.phase == "navigation" and not frame.told(), 12_000), _navigating),
    Shot("navigate-caution", _navigate(_told("CAUTION aorta/drill/burr", "CAUTION aorta/drill/neck"), 100, "left"), _navigating),
    Shot("navigate-danger", _navigate(_told("DANGER aorta/drill/burr", "DANGER aorta/drill/neck"), 1000, "left"), _navigating),
    Shot("navigate-lost", _navigate(_told("DANGER spinal_canal/drill/neck unknown", technical="TRACKING_LOST"), 700), _navigating),
    Shot("review", _review, _reviewed),
)
