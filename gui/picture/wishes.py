"""What a picture is to show: noted by the window at any time, carried out by the thread that paints, before its next painting. No Qt, no VTK."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from navtwin.nouns import AlertSet, State
from navtwin.scene.views import ViewName

if TYPE_CHECKING:
    from navtwin.scene.picture import Picture

#: By hand, turns and shifts that nobody has carried out yet: of more than so many the oldest are dropped.
MOST_MOVES = 100

Act = Callable[["Picture"], None]


class Wishes:
    """Has the face of a `Picture`, and keeps what it is asked until there is one to show it.

    Attributes
    ----------
    alerted : whether the newest alert set that was shown has an alert
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._show: tuple[State | None, AlertSet | None] | None = None
        self._visible: dict[str, bool] = {}
        self._camera: list[Act] = []
        self.alerted = False

    def show(self, state: State | None, alerts: AlertSet | None) -> None:
        """As `Picture.show`: of several only the newest is carried out."""
        with self._lock:
            self._show = state, alerts
            self.alerted = alerts is not None and bool(alerts.alerts)

    def look(self, view: ViewName, state: State | None, share: float = 1.0) -> None:
        """As `Picture.look`."""
        self.move(lambda picture: picture.look(view, state, share), anew=share == 1.0)

    def set_visible(self, structure: str, visible: bool) -> None:
        """As `Picture.set_visible`."""
        with self._lock:
            self._visible[structure] = visible

    def move(self, act: Act, *, anew: bool = False) -> None:
        """Change the camera. `anew`: whatever it was changed to before."""
        with self._lock:
            self._camera = [act] if anew else [*self._camera, act][-MOST_MOVES:]

    def carry_out(self, picture: Picture) -> State | None:
        """Make the picture as it is wished. Returns the state that it shows where that is another than before, else None."""
        with self._lock:
            shown, visible, camera = self._show, self._visible, self._camera
            self._show, self._visible, self._camera = None, {}, []
        for structure, on in visible.items():
            picture.set_visible(structure, on)
        for act in camera:
            act(picture)
        if shown is None:
            return None
        picture.show(*shown)
        return shown[0]
