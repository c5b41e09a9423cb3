"""What the slices may show: through which point, of which instrument, in which window, and whether it still holds. No Qt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from gui.link.board import MS, Moment
from navtwin.bus.words import STATUS_WORDS
from navtwin.rigid import Rigid, Vec3
from navtwin.scene.model import Scene
from navtwin.scene.slices import Plane
from navtwin.scene.views import nearest_critical, region

WindowName = Literal["soft", "bone", "lung"]
#: Grey windows: centre and width, HU.
WINDOWS: Final[dict[WindowName, tuple[float, float]]] = {"soft": (50.0, 400.0), "bone": (500.0, 2000.0), "lung": (-600.0, 1500.0)}
WINDOW_NAMES: Final = tuple(WINDOWS)
#: How much of the patient a slice shows along its shorter side, mm.
FIELDS_MM: Final = (40.0, 55.0, 75.0, 100.0, 140.0, 200.0)
FIRST_FIELD_MM: Final = 75.0
#: Slices further behind the instrument than this say so, and do not show it.
LATE_NS: Final = 250 * MS
Size = tuple[int, int]


@dataclass(frozen=True)
class Sight:
    """The instrument that the slices follow.

    Attributes
    ----------
    words : "" where its place in the scan is known; UNKNOWN, or OUT OF SCAN
    why : what is behind these words, "" where there is nothing more to say
    T_ct_from_tip : None unless it is known; known beyond the scan too
    """

    words: str
    why: str
    instrument: str
    T_ct_from_tip: Rigid | None

    @property
    def known(self) -> bool:
        """Known, and within the scan."""
        return not self.words


@dataclass(frozen=True)
class Request:
    """The slices to be cut: everything that decides what they look like. `bone` counts how often drilled bone has changed."""

    at_mm: Vec3
    field_mm: float
    window: WindowName
    sizes_px: Mapping[Plane, Size]
    line_px: float
    sight: Sight
    bone: int = 0


def sight_of(scene: Scene, moment: Moment) -> Sight:
    """The instrument in use, and whether its place is known now.

    Of those selected, the one nearest to a critical structure; where none of them is known, no other stands in for it.
    """
    if moment.link_lost:
        return Sight("UNKNOWN", "the core is not heard", "", None)
    if moment.state is None:
        return Sight("UNKNOWN", "too old", "", None)
    selected = moment.alerts.health.selected if moment.alerts else ()
    followed = [i for i in moment.state.instruments if i.instrument in selected] or list(moment.state.instruments)
    known = {i.instrument: i.pose for i in followed if i.status == "OK" and i.pose is not None}
    if not known:
        first = followed[0] if followed else None
        return Sight("UNKNOWN", STATUS_WORDS[first.status] if first else "no instrument", first.instrument if first else "", None)
    near = nearest_critical(moment.state)
    name = near.instrument if near and near.instrument in known else next(iter(known))
    T_ct_from_tip = known[name].rigid(target="ct", source="tip")
    if not scene.volume.contains(T_ct_from_tip.t_mm):
        return Sight("OUT OF SCAN", "", name, T_ct_from_tip)
    return Sight("", "", name, T_ct_from_tip)


@dataclass
class SlicesModel:
    """Follows one instrument through the scan, and remembers what was asked for and when.

    Attributes
    ----------
    at_mm : the point that the planes go through: the instrument's tip, or where it was last known, or the middle of the plans
    """

    scene: Scene
    window: WindowName = "bone"
    field_mm: float = FIRST_FIELD_MM
    at_mm: Vec3 = (0.0, 0.0, 0.0)
    bone: int = 0
    sight: Sight = field(default_factory=lambda: Sight("UNKNOWN", "", "", None))
    _asked: Request | None = None
    _waiting_since_ns: int | None = None

    def __post_init__(self) -> None:
        middle, _ = region(self.scene)
        self.at_mm = (float(middle[0]), float(middle[1]), float(middle[2]))

    def look(self, moment: Moment) -> Sight:
        """Take in this moment. The planes follow a known instrument, and stay where they are otherwise."""
        self.sight = sight_of(self.scene, moment)
        if self.sight.known and self.sight.T_ct_from_tip is not None:
            self.at_mm = self.sight.T_ct_from_tip.t_mm
        return self.sight

    def wanted(self, sizes_px: Mapping[Plane, Size], line_px: float, now_ns: int) -> Request | None:
        """The slices to cut now; None if they are those that were asked for last, to a twentieth of a millimetre."""
        request = Request(self.at_mm, self.field_mm, self.window, dict(sizes_px), line_px, self.sight, self.bone)
        if self._asked is not None and _seen(request) == _seen(self._asked):
            return None
        self._asked = request
        if self._waiting_since_ns is None:
            self._waiting_since_ns = now_ns
        return request

    def came(self, request: Request, now_ns: int) -> None:
        """Note that slices have come."""
        self._waiting_since_ns = None if request is self._asked else now_ns

    def forget(self) -> None:
        """Ask again at the next turn, whatever was asked for."""
        self._asked = self._waiting_since_ns = None

    def late(self, now_ns: int) -> bool:
        """Whether slices that were asked for are so long in coming that what is shown no longer holds."""
        return self._waiting_since_ns is not None and now_ns - self._waiting_since_ns > LATE_NS

    def choose_window(self, steps: int) -> None:
        """Go on to another grey window."""
        self.window = WINDOW_NAMES[(WINDOW_NAMES.index(self.window) + steps) % len(WINDOW_NAMES)]

    def zoom(self, steps: int) -> None:
        """Show less (positive) or more of the patient."""
        at = min(range(len(FIELDS_MM)), key=lambda n: abs(FIELDS_MM[n] - self.field_mm))
        self.field_mm = FIELDS_MM[min(len(FIELDS_MM) - 1, max(0, at - steps))]


def _seen(request: Request) -> tuple[object, ...]:
    """What can be told apart by eye: the noise of a tool that lies still is not worth another cut."""
    pose = request.sight.T_ct_from_tip if request.sight.known else None
    place = tuple(round(v * 20.0) for v in request.at_mm)
    turn = () if pose is None else tuple(round(v, 3) for row in pose.rotation for v in row)
    return (place, turn, request.field_mm, request.window, tuple(request.sizes_px.items()), request.line_px, request.sight.known, request.bone)
