"""The window on no display: words and colours by level, unknown shown as unknown, the lost link, the buttons, and the picture's own pixels."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import msgspec
import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QWidget

from gui.desktop.desk import Desk as GuiDesk
from gui.desktop.window import Window
from gui.link.board import SESSION_ENDED
from gui.navigate.place import NavigatePlace
from gui.picture.live import open_live
from navtwin.bus.signals import SIGNALS
from navtwin.nouns import Ack, AudioPause, Freeze, Mark, Mute, State
from navtwin.scene import palette
from navtwin.scene.model import Scene
from tests.bus.fake_core import SETUP
from tests.gui.room import CAUTION_S, CLEAR_S, CONTACT_S, DANGER_S, HIDDEN_S, MS, Desk, rig, said, scene

Pixels = np.ndarray[Any, Any]


class NoPicture:
    """A view that only remembers what it was asked to show."""

    def __init__(self, *_: Any) -> None:
        self.widget, self.picture = QWidget(), self
        self.shown: list[State | None] = []
        self.polished = 0
        self.cost, self.under_way = 0.0, False
        self.visible: dict[str, bool] = {}

    def paint(self, *, still: bool = False) -> None:
        self.polished += still

    def cost_s(self) -> float | None:
        return None if self.under_way else self.cost

    def release(self) -> None: ...

    def show(self, state: State | None, _alerts: object) -> None:
        self.shown.append(state)

    def look(self, *_: Any) -> None: ...

    def set_visible(self, structure: str, visible: bool) -> None:
        self.visible[structure] = visible


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def window(qtbot: Any, desk: Desk) -> Iterator[Window]:
    made = opened(qtbot, desk, NoPicture)
    yield made
    made.leave()


def opened(qtbot: Any, desk: Desk, open_picture: Any, case: Scene | None = None) -> Window:
    """A desktop with the case open, at Navigate, that is looked after by the test alone."""
    shared = GuiDesk(desk.board, desk.orders.append, (5810, 5811), desk.clock, "127.0.0.1:5810")
    window = Window(shared, {"navigate": partial(NavigatePlace, view="left", open_picture=open_picture)})
    window._turns.stop()
    qtbot.addWidget(window)
    window.resize(1280, 800)
    window.show()
    shared.set_rig(rig(), None)
    shared.set_case(case or scene())
    window.go("navigate")
    return window


def scenery(window: Window) -> Any:
    """What Navigate shows of the case."""
    return window.places["navigate"].scenery


def pixels(widget: QWidget) -> Pixels:
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), dtype=np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def share(image: Pixels, color: str) -> float:
    """Share of the pixels that have this colour."""
    rgb = np.array(QColor(color).getRgb()[:3])
    return float((np.abs(image.astype(int) - rgb).max(axis=-1) < 8).mean())


def tell(window: Window, desk: Desk, t_s: float) -> None:
    """Hear it, then look when the flashing indicators are lit (both flash from the clock's zero)."""
    desk.tell(t_s)
    window.refresh()


@pytest.mark.parametrize(
    ("t_s", "word", "color"),
    [(CAUTION_S, "CAUTION", SIGNALS["medium"].rgb), (DANGER_S, "DANGER", SIGNALS["high"].rgb), (CONTACT_S, "CONTACT", SIGNALS["high"].rgb)],
)
def test_the_banner_names_the_level_in_its_colour(window: Window, desk: Desk, t_s: float, word: str, color: str):
    tell(window, desk, t_s)
    assert window.banner.block.word == word
    assert "to spinal canal" in window.banner.headline.text()
    assert " mm" in window.banner.detail.text()
    assert share(pixels(window.banner.block), color) > 0.5


def test_without_an_alert_no_alert_colour_is_on_the_banner(window: Window, desk: Desk):
    tell(window, desk, CLEAR_S)
    assert window.banner.block.word == "NO ALERT"
    image = pixels(window.banner)
    assert all(share(image, SIGNALS[p].rgb) == 0.0 for p in ("high", "medium", "low"))


def test_where_nothing_is_watched_it_is_never_called_calm(window: Window, desk: Desk):
    _, alerts = said(CLEAR_S)
    desk.hear("alerts", msgspec.structs.replace(alerts, alerts=(), pairs=()))
    window.refresh()
    assert window.banner.block.word == "UNWATCHED"
    assert window.banner.headline.text() == "Nothing is being watched"


@pytest.mark.parametrize(("t_s", "period_ms"), [(DANGER_S, 500.0), (CAUTION_S, 1000.0 / 0.6)])
def test_alerts_flash_at_the_rate_of_their_priority(window: Window, desk: Desk, t_s: float, period_ms: float):
    desk.clock.ns = int(0.2 * period_ms * MS) - 10 * MS
    tell(window, desk, t_s)
    lit = pixels(window.banner.block)
    desk.clock.ns = int(0.7 * period_ms * MS) - 10 * MS
    tell(window, desk, t_s)
    unlit = pixels(window.banner.block)
    assert float(lit[..., 0].mean()) > 1.5 * float(unlit[..., 0].mean())
    assert window.banner.block.word in ("DANGER", "CAUTION")


def test_every_alert_is_written_out(window: Window, desk: Desk):
    tell(window, desk, CONTACT_S)
    alerts = said(CONTACT_S)[1].alerts
    assert len(alerts) > 1
    assert len(window.banner.other_words) == len(alerts) - 1


def test_more_alerts_than_fit_are_counted(window: Window, desk: Desk):
    _, alerts = said(CONTACT_S)
    many = tuple(msgspec.structs.replace(alerts.alerts[0], id=f"aorta/drill/part{n}", part=f"part{n}") for n in range(7))
    desk.hear("alerts", msgspec.structs.replace(alerts, alerts=many))
    window.refresh()
    assert len(window.banner.other_words) == 2
    assert window.banner.more.text() == "and 4 more"


def test_a_known_distance_has_its_number_and_error_bar(window: Window, desk: Desk):
    tell(window, desk, DANGER_S)
    card = scenery(window).strip.cards["spinal_canal"].card
    assert card.known
    assert float(card.value) == pytest.approx(1.5, abs=0.3)
    assert card.unit == "± 0.7 mm"
    assert "bound" in card.detail


def test_a_hidden_instrument_shows_unknown_and_not_the_last_value(window: Window, desk: Desk):
    tell(window, desk, DANGER_S)
    tell(window, desk, HIDDEN_S)
    for card in scenery(window).strip.cards.values():
        assert card.card.value == "UNKNOWN"
        assert "hidden" in card.card.detail
    assert scenery(window).strip.cards["spinal_canal"].card.detail.endswith("was DANGER")
    assert window.banner.block.word == "UNKNOWN"
    assert window.banner.block.below == "was DANGER"
    assert any("TRACKING LOST, drill" in words for words in window.technical.shown_words)
    assert "drill: UNKNOWN (hidden)" in scenery(window).stage.unknown.text()


def test_the_link_is_lost_after_250_ms_and_greys_every_value(window: Window, desk: Desk):
    tell(window, desk, DANGER_S)
    desk.clock.ns += 240 * MS
    window.refresh()
    assert not scenery(window).stage.overlay.isVisible()
    desk.clock.ns += 60 * MS
    window.refresh()
    assert scenery(window).stage.overlay.isVisible()
    assert scenery(window).stage.overlay.title == "LINK LOST"
    assert all(card.card.value == "UNKNOWN" for card in scenery(window).strip.cards.values())
    assert any(words.startswith("LINK LOST") for words in window.technical.shown_words)
    assert window.banner.block.word == "UNKNOWN"
    assert share(pixels(scenery(window).stage.overlay), SIGNALS["high"].rgb) > 0.001
    assert scenery(window).view.shown[-1] is None
    assert not window.footer.acknowledge.isEnabled()


def test_the_overlay_goes_when_the_link_is_back(window: Window, desk: Desk):
    tell(window, desk, DANGER_S)
    desk.clock.ns += 400 * MS
    window.refresh()
    tell(window, desk, CAUTION_S)
    assert not scenery(window).stage.overlay.isVisible()
    assert scenery(window).strip.cards["spinal_canal"].card.known


def test_acknowledge_names_epoch_alert_and_level(window: Window, desk: Desk):
    tell(window, desk, DANGER_S)
    window.footer.acknowledge.click()
    first = max(said(DANGER_S)[1].alerts, key=lambda a: -a.since_ns)
    assert desk.orders == [Ack(epoch="e1", alert=first.id, level="DANGER")]


def test_a_technical_alarm_is_acknowledged_by_its_own_button(window: Window, desk: Desk):
    tell(window, desk, HIDDEN_S)
    window.technical._lines[0].button.click()
    assert desk.orders == [Ack(epoch="e1", alert="TRACKING_LOST/drill", level=None)]


def test_mute_asks_for_the_structure_and_only_at_caution(window: Window, desk: Desk):
    tell(window, desk, CAUTION_S)
    window.footer.mute.click()
    assert desk.orders == [Mute(structure="spinal_canal")]
    tell(window, desk, DANGER_S)
    assert not window.footer.mute.isEnabled()


def test_pause_and_mark_ask_the_core(window: Window, desk: Desk):
    tell(window, desk, DANGER_S)
    window.footer.pause.click()
    window.footer.mark.click()
    assert desk.orders == [AudioPause(seconds=30.0), Mark(label="mark 1")]


def test_freeze_stops_the_picture_but_neither_banner_nor_distances(window: Window, desk: Desk):
    tell(window, desk, CAUTION_S)
    scenery(window).stage.freeze.click()
    shown = len(scenery(window).view.shown)
    desk.clock.ns += 60 * MS
    tell(window, desk, CONTACT_S)
    assert len(scenery(window).view.shown) == shown
    assert window.banner.block.word == "CONTACT"
    assert scenery(window).strip.cards["spinal_canal"].row.level == "CONTACT"
    assert "FROZEN" in scenery(window).stage.frozen.text()
    scenery(window).stage.freeze.click()
    assert desk.orders == [Freeze(on=True), Freeze(on=False)]
    assert len(scenery(window).view.shown) == shown + 1


def test_a_picture_that_still_shows_what_is_no_longer_known_is_covered_until_it_is_painted_anew(window: Window, desk: Desk):
    desk.clock.ns = 100_000 * MS
    tell(window, desk, DANGER_S)
    assert not scenery(window).stage.gone.isVisible()
    scenery(window).view.under_way = True
    desk.clock.ns += 60 * MS
    tell(window, desk, HIDDEN_S)
    assert scenery(window).stage.gone.isVisible()
    assert scenery(window).stage.gone.words == "drill UNKNOWN"
    scenery(window).view.under_way = False
    window.refresh()
    assert not scenery(window).stage.gone.isVisible()


def test_what_is_no_longer_known_is_taken_out_without_waiting_for_the_pictures_turn(window: Window, desk: Desk):
    desk.clock.ns = 100_000 * MS
    scenery(window).view.cost = 10.0
    tell(window, desk, DANGER_S)
    tell(window, desk, CAUTION_S)
    assert len(scenery(window).view.shown) == 1
    tell(window, desk, HIDDEN_S)
    assert len(scenery(window).view.shown) == 2


def test_painting_leaves_time_for_the_alerts_and_a_still_picture_is_painted_once_more_at_its_best(window: Window, desk: Desk):
    scenery(window).view.cost = 0.060
    desk.clock.ns += 1000 * MS
    begun = desk.clock.ns
    state, alerts = said(DANGER_S)
    while desk.clock.ns < begun + 1000 * MS:
        desk.clock.ns += 20 * MS
        desk.hear("state", said(DANGER_S + (desk.clock.ns - begun) / 2e9)[0])
        desk.hear("alerts", alerts)
        window.refresh()
    assert 8 <= len(scenery(window).view.shown) <= 10
    assert scenery(window).view.polished == 0
    for _ in range(30):
        desk.clock.ns += 20 * MS
        desk.hear("state", msgspec.structs.replace(state, frame=desk.clock.ns))
        desk.hear("alerts", alerts)
        window.refresh()
    assert scenery(window).view.polished == 1


def test_lamps_follow_health_and_go_out_with_the_link(window: Window, desk: Desk):
    desk.board.audio = ""
    tell(window, desk, DANGER_S)
    assert {light.lamp for light in window.footer.lamps.lights.values()} == {"ok"}
    desk.clock.ns += 400 * MS
    window.refresh()
    assert window.footer.lamps.lights["link"].lamp == "bad"
    assert window.footer.lamps.lights["tracker"].lamp == "off"


def test_the_audio_lamp_says_why_nothing_can_be_heard_whatever_the_link(window: Window, desk: Desk):
    lamp = window.footer.lamps.lights["audio"]
    tell(window, desk, DANGER_S)
    assert lamp.lamp == "off"
    desk.board.audio = "no audio device"
    for silence_ms in (0, 400):
        desk.clock.ns += silence_ms * MS
        window.refresh()
        assert (lamp.lamp, lamp.note) == ("bad", "silent")
        assert "no audio device" in lamp.toolTip()
    desk.board.audio = ""
    window.refresh()
    assert (lamp.lamp, lamp.note) == ("ok", "")


def test_a_lost_link_that_sounds_is_silenced_by_the_button(window: Window, desk: Desk):
    silenced: list[bool] = []
    window.footer._silence_link = lambda: silenced.append(True)
    tell(window, desk, DANGER_S)
    desk.clock.ns += 400 * MS
    window.refresh()
    assert not window.footer.acknowledge.isEnabled(), "nothing sounds here, so there is nothing to silence"
    desk.board.audio = ""
    window.refresh()
    assert "LINK LOST" in window.footer.acknowledge.text()
    window.footer.acknowledge.click()
    assert silenced == [True]
    assert desk.orders == []


def test_the_window_closes_at_the_end_where_asked_to(window: Window, desk: Desk):
    window._until_end = True
    tell(window, desk, DANGER_S)
    desk.hear("setup", msgspec.structs.replace(SETUP, message=SESSION_ENDED))
    desk.clock.ns += 400 * MS
    window.refresh()
    assert not window.isVisible()


def test_skin_is_shown_on_request(window: Window):
    assert scenery(window).view.visible == {}
    scenery(window).stage.skin.click()
    assert scenery(window).view.visible == {"skin": True}


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1920, 1080)])
def test_nothing_is_cut_off_or_overlaps(window: Window, desk: Desk, width: int, height: int, qtbot: Any):
    window.resize(width, height)
    tell(window, desk, HIDDEN_S)
    qtbot.wait(1)
    parts = [window.banner, window.technical, scenery(window).stage, scenery(window).strip, window.footer]
    boxes = [part.rect().translated(part.mapTo(window, part.rect().topLeft())) for part in parts]
    assert all(window.rect().contains(box) for box in boxes)
    assert not any(a.intersects(b) for n, a in enumerate(boxes) for b in boxes[:n])
    buttons = [window.footer.mark, window.footer.pause, window.footer.mute, window.footer.acknowledge, window.footer.lamps]
    rows = [b.rect().translated(b.mapTo(window, b.rect().topLeft())) for b in buttons]
    assert not any(a.intersects(b) for n, a in enumerate(rows) for b in rows[:n])


def test_the_picture_is_really_painted_and_shows_the_drill_only_when_it_is_known(qtbot: Any, desk: Desk):
    window = opened(qtbot, desk, open_live)

    def picture(t_s: float) -> Pixels:
        desk.clock.ns += 1000 * MS
        tell(window, desk, t_s)
        # At its best, and so the same whatever this machine had time for.
        scenery(window).view.paint(still=True)
        qtbot.waitUntil(lambda: scenery(window).view.settled, timeout=20_000)
        return pixels(scenery(window).view.widget).astype(int)

    empty = picture(HIDDEN_S)
    known = picture(DANGER_S)
    again = picture(HIDDEN_S)
    background = np.array(QColor(palette.BACKGROUND).getRgb()[:3])
    assert (np.abs(empty - background).max(axis=-1) > 20).mean() > 0.05
    assert (np.abs(known - empty).max(axis=-1) > 40).sum() > 300
    assert (np.abs(again - empty).max(axis=-1) > 40).sum() == 0
    window.leave()
