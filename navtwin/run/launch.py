"""Put a session together from what the command line names, run it, and leave a finished log."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from navtwin.bus.bone import BoneServer
from navtwin.bus.keys import ServerKeys
from navtwin.bus.promptly import going_first, run_promptly
from navtwin.bus.server import Server
from navtwin.bus.topics import BONE_PORT, COMMAND_PORT, PUB_PORT, VIDEO_PORT
from navtwin.bus.video import VideoServer
from navtwin.errors import InputRefused, NavtwinError
from navtwin.nouns import Rig, Source, read_rig
from navtwin.nouns.source import PictureTap
from navtwin.offers import source_offer
from navtwin.record.log import LogWriter
from navtwin.run.core import STATE_EVERY_NS, Core
from navtwin.run.drilled import prepare_bone, watch_of
from navtwin.run.live import Loop
from navtwin.run.reader import SourceReader
from navtwin.run.session import new_header
from navtwin.run.timeline import Timeline
from navtwin.run.video import Video
from navtwin.run.workers import Workers
from navtwin.scene.model import Scene
from navtwin.twin.alarms import ALARMS
from navtwin.twin.calibration_age import dated_calibrations, fault_of, utc_s_at
from navtwin.twin.drilled import carvable_of

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Settings:
    """What `navtwin run` was asked for.

    Attributes
    ----------
    rig : path of rig.toml; None takes the case's own
    log : where to record; None runs unrecorded
    speed : 1 real time, N times faster, 0 as fast as it goes; for recordings and scripts only
    video_port, bone_port : where a source's pictures, and bone that is drilled, are published; None takes those that lie as far from `pub_port`
        as they do by default
    drilled : log of an earlier session, whose drilled bone this one begins with
    every_state : publish the state of every frame, however fast the tracker
    """

    case: Path
    source: str
    rig: Path | None = None
    log: Path | None = None
    speed: float = 1.0
    bind: str = "127.0.0.1"
    pub_port: int = PUB_PORT
    command_port: int = COMMAND_PORT
    keys: ServerKeys | None = None
    video_port: int | None = None
    bone_port: int | None = None
    drilled: Path | None = None
    every_state: bool = False


def open_source(address: str, scene: Scene, rig: Rig) -> Source:
    """Open `scheme:rest`."""
    offer, rest = source_offer(address)
    source: Source = offer.load()(rest, scene, rig)
    return source


def rig_path_of(case: Path, rig: Path | None) -> Path:
    if not case.is_dir():
        raise InputRefused(f"no case at {case}", "make one with `navtwin case new`, or check the path")
    path = rig or case / "rig.toml"
    if not path.is_file():
        raise InputRefused(f"no rig at {path}", "pass one with --rig FILE")
    return path


def run_session(settings: Settings, say: Say) -> Path | None:
    """Run one session to its end. Everything is loaded and compiled before the first frame.

    Returns
    -------
    the finished log, None where unrecorded
    """
    from navtwin.kernels.warm import SESSION, warm_up
    from navtwin.scene.case import load_scene

    rig_path = rig_path_of(settings.case, settings.rig)
    source_offer(settings.source)
    if settings.log is not None and settings.log.exists():
        raise InputRefused(f"{settings.log} is already there", "name a new log, or move this one away")
    rig = read_rig(rig_path)
    if not rig.tool:
        raise InputRefused(f"{rig_path} has no [[tool]]: nothing would be measured", "add the instruments")
    stop, ready = threading.Event(), threading.Event()
    _heed_signals(stop, ready)
    with suppress(_Stopped), ExitStack() as stack:
        # Before any socket: their threads are to be woken soon as well.
        run_promptly()
        server = _held(stack, Server(settings.bind, settings.pub_port, settings.command_port, settings.keys))
        say("loading the case")
        scene = load_scene(settings.case)
        drilled = prepare_bone(scene, rig, settings.drilled, say)
        source = open_source(settings.source, scene, rig)
        workers = _held(stack, Workers(settings.case))
        reader = _held(stack, SourceReader(source))
        video = _held(stack, open_video(settings, source, rig, say))
        bone_server = _held(stack, open_bone(settings, scene, rig))
        say("compiling kernels")
        warm_up(lambda kernel: say(f"compiling {kernel}"), (*SESSION, *(("drilling",) if scene.carvable is not None else ())))
        header = new_header(scene, rig, rig_path, settings.source, 1.0 if reader.live else settings.speed)
        server.epoch = header.session
        for dated in dated_calibrations(rig):
            fault = fault_of(dated, utc_s_at(header, header.monotonic_anchor_ns), rig.calibration_max_age_days)
            if fault is not None:
                say(f"{dated.subject}: {ALARMS[fault[0]].text} ({fault[2]})")
        log = LogWriter(settings.log, live=settings.speed > 0.0) if settings.log else None
        if log is not None:
            # A session that breaks leaves what it has under its unfinished name, for `navtwin recover`.
            stack.callback(log.abandon)
        clients: dict[int, bytes] = {}
        every_ns = 0 if settings.every_state else STATE_EVERY_NS
        core = Core(scene, rig, header, publish=server.publish, answer=_answer_by(server, clients), log=log, drilled=drilled, state_every_ns=every_ns)
        bone = _held(stack, watch_of(core, bone_server, say))
        ports = f"publishing on {settings.bind}:{server.pub_port}, commands on {server.command_port}"
        ports += f", pictures on {video.begin(header.session)}" if video else ""
        ports += f", drilled bone on {bone.begin()}" if bone else ""
        say(f"session {header.session}: {ports}")
        loop = Loop(core, reader, workers, server, Timeline(settings.speed), stop.is_set, clients, say, video, bone)
        ready.set()
        with going_first() if settings.speed > 0.0 else nullcontext():
            loop.run()
        if bone is not None:
            bone.finish()
        return _finished(log, core, reader, say)
    say("stopped before the session began")
    return None


class _Closable(Protocol):
    def close(self) -> None: ...


T = TypeVar("T", bound=_Closable | None)


def _held(stack: ExitStack, thing: T) -> T:
    """The thing, which is closed with the session."""
    if thing is not None:
        stack.callback(thing.close)
    return thing


def _answer_by(server: Server, clients: dict[int, bytes]) -> Callable[[int, bytes], None]:
    """Answers a command by its number; one of the recording itself has no client to answer."""

    def answer(seq: int, payload: bytes) -> None:
        client = clients.pop(seq, None)
        if client is not None:
            server.reply(client, payload)

    return answer


class _Stopped(Exception):
    """Asked to end while getting ready."""


def _heed_signals(stop: threading.Event, ready: threading.Event) -> None:
    """Ctrl-C and SIGTERM end a session in order; before it is ready, where there is nothing to end in order, at once."""

    def asked(*_: object) -> None:
        stop.set()
        if not ready.is_set():
            raise _Stopped

    if threading.current_thread() is threading.main_thread():
        for name in ("SIGINT", "SIGTERM"):
            signal.signal(getattr(signal, name), asked)


def _finished(log: LogWriter | None, core: Core, reader: SourceReader, say: Say) -> Path | None:
    """Finish the log of a session that is over; its path. Raises NavtwinError where the source failed."""
    if log is None:
        if reader.failure is not None:
            raise NavtwinError(f"the source failed: {reader.failure}", "check it and start again")
        return None
    if core.recording_failure:
        say(f"not recorded to the end: {core.recording_failure}; rescue what there is with `navtwin recover {log.partial}`")
        return log.partial
    log.finish()
    if reader.failure is not None:
        raise NavtwinError(f"the source failed: {reader.failure}", f"the session until then is in {log.path}")
    return log.path


def open_video(settings: Settings, source: Source, rig: Rig, say: Say) -> Video | None:
    """Where the source's pictures will be shown; None for one that has none."""
    pictures: PictureTap | None = getattr(source, "pictures", None)
    if pictures is None:
        return None
    port = _beside(settings, settings.video_port, VIDEO_PORT)
    return Video(VideoServer(settings.bind, port, settings.keys, cameras=max(1, len(rig.camera))), pictures, rig, say)


def open_bone(settings: Settings, scene: Scene, rig: Rig) -> BoneServer | None:
    """Where drilled bone will be shown; None where nothing can be drilled."""
    if carvable_of(scene, rig) is None:
        return None
    return BoneServer(settings.bind, _beside(settings, settings.bone_port, BONE_PORT), settings.keys)


def _beside(settings: Settings, asked: int | None, default: int) -> int:
    """A port that was asked for, or the one that lies as far from where alerts are published as it does by default; any free one beside such."""
    return asked if asked is not None else settings.pub_port and settings.pub_port + default - PUB_PORT
