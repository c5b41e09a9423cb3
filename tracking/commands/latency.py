"""`navtwin calibrate latency`: how long pictures take from light to this program, read off a filmed clock."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from navtwin.errors import InputRefused
from navtwin.nouns.calibration import Goal
from tracking.calibration.reporting import Report
from tracking.calibration.screen import Screen, screen_of
from tracking.commands.folders import check_folder
from tracking.commands.options import ProgressOption, VideoPortOption

if TYPE_CHECKING:
    from tracking.calibration.screen_clock import Latency
    from tracking.detect.markers import Markers
    from tracking.pictures.images import ImageSource


def latency(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(help="camera:0 (with `navtwin clock` in its view), or images:FOLDER recorded from it")],
    rig: Annotated[Path, typer.Option(help="rig.toml with the camera's calibration")],
    seconds: Annotated[float, typer.Option(min=2.0, max=3600.0, help="how long to film")] = 15.0,
    screen_hz: Annotated[float, typer.Option(help="the screen's refresh rate")] = 60.0,
    display_ms: Annotated[float, typer.Option(help="what the screen takes from drawing to light; unknown, it counts as the camera's")] = 0.0,
    write: Annotated[bool, typer.Option("--write", help="store latency_ms in rig.toml, if it is accepted")] = False,
    out: Annotated[Path | None, typer.Option(help="folder of the result and its picture (default: the rig's)")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
    progress: ProgressOption = False,
    video_port: VideoPortOption = None,
) -> None:
    """Measure a camera's latency by filming the clock that `navtwin clock` shows. Exit code 1 where the result is refused."""
    from navtwin.nouns import read_rig
    from tracking.pictures.sources import open_pictures

    loaded = read_rig(rig)
    check_folder(out or rig.parent, rig if write else None)
    if not 0.0 < screen_hz < math.inf:
        raise InputRefused(f"a screen rate of {screen_hz:g} Hz", "state the screen's refresh rate, usually 60")
    if not 0.0 <= display_ms < math.inf:
        raise InputRefused(f"a screen's delay of {display_ms:g} ms", "state what it takes from drawing to light, or leave it out")
    screen = screen_of(ctx, "latency", source, progress=progress, video_port=video_port, as_json=as_json)
    pictures = open_pictures(source, None, loaded)
    try:
        found = _filmed(pictures, seconds, screen_hz, display_ms, Film(screen, seconds, [c.name for c in loaded.camera]))
    finally:
        pictures.close()
    figures: dict[str, Any] = {
        "latency_ms": found.latency_ms,
        "sd_ms": found.sd_ms,
        "mean_sd_ms": found.mean_sd_ms,
        "stamp_error_ms": found.stamp_error_ms,
        "readings": len(found.readings_ms),
        "unread": found.unread,
        "screen_hz": screen_hz,
        "display_ms": display_ms,
    }
    lines = [
        f"from light to arrival {found.latency_ms:.1f} ms (sd {found.sd_ms:.1f} a picture, {found.mean_sd_ms:.1f} of the mean)",
        f"  stamps of mid-exposure are {abs(found.stamp_error_ms):.1f} ms {'late' if found.stamp_error_ms > 0.0 else 'early'}",
        f"  {len(found.readings_ms)} pictures read, {found.unread} not"
        + ("" if display_ms else "; the screen's own delay is counted as the camera's, since --display-ms does not state it"),
    ]

    def store(document: Any) -> None:
        document["tracker"]["latency_ms"] = round(found.latency_ms, 1)

    report = Report("latency", source, [source, rig.name], (found.accepted, found.reasons), figures, lines, lambda path: _picture(found, path))
    report.finish(out or rig.parent, as_json=as_json, store=(rig, store) if write else None, screen=screen)


@dataclass
class Film:
    """What a screen is told of the filming, if one follows."""

    screen: Screen | None
    seconds: float
    names: list[str]

    def saw(self, exposure: Sequence[Any], markers: Markers, read: int, unread: int, spent_s: float, *, live: bool) -> bool:
        """An exposure, and the clock's markers in its first picture; True where no more are wanted."""
        if self.screen is None:
            return False
        from tracking.calibration.screen_clock import DICTIONARY

        self.screen.show(exposure, self.names, lambda picture: ({DICTIONARY: markers} if picture is exposure[0] else {}, ()))
        words = f"{read} pictures read, {unread} not" if read else "show the camera the clock of `navtwin clock`"
        goals = (Goal("filmed", round(min(spent_s, self.seconds), 1), self.seconds, "s"),) if live else ()
        self.screen.tell(words, views=read, goals=goals, done_share=min(spent_s / self.seconds, 1.0) if live else None)
        return self.screen.attend(live=live)


def _filmed(pictures: ImageSource, seconds: float, screen_hz: float, display_ms: float, film: Film) -> Latency:
    from navtwin.nouns import SourceEnded
    from tracking.calibration.screen_clock import DICTIONARY, judge_latency, read_dial_ms
    from tracking.detect.markers import detect_markers

    shown, capture, arrival = list[int | None](), list[int](), list[int]()
    begun_s = time.monotonic()
    try:
        while not pictures.live or time.monotonic() < begun_s + seconds:
            exposure = pictures.read(0.2)
            if isinstance(exposure, Sequence):
                first = exposure[0]
                markers = detect_markers(first.grey, DICTIONARY)
                shown.append(read_dial_ms(markers))
                capture.append(first.t_capture_ns)
                arrival.append(first.t_arrival_ns)
                unread = shown.count(None)
                if film.saw(exposure, markers, len(shown) - unread, unread, time.monotonic() - begun_s, live=pictures.live):
                    break
            elif film.screen is not None and film.screen.attend(live=pictures.live):
                break
    except SourceEnded:
        pass
    if not shown:
        raise InputRefused(f"{pictures.name} gave no picture in {seconds:g} s", "check the camera")
    return judge_latency(shown, capture, arrival, screen_hz=screen_hz, display_ms=display_ms)


def _picture(found: Latency, path: Path) -> None:
    from tracking.calibration.evidence import latency_picture

    latency_picture(found, path)
