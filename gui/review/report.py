"""The two reports: HTML by `navtwin report` in a process of its own, and PDF pages of what the review shows."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from html import escape
from pathlib import Path

from PySide6.QtCore import QMarginsF, QObject, QProcess, QUrl
from PySide6.QtGui import QImage, QPageLayout, QPageSize, QPdfWriter, QTextDocument

from gui.review.axis import time_words
from gui.review.compare import accounts_html, comparison_html, events_of
from gui.review.notes import Note
from gui.review.session import Session
from gui.review.world import damage_words
from navtwin.errors import InputRefused
from navtwin.scene.caption import NOT_A_DEVICE

#: Dots per inch of the pages; text stays text. A picture's width is in pixels of 96 to the inch.
PDF_DPI = 144
PAGE_PX = 680


class HtmlReport(QObject):
    """`navtwin report` as a child that can be cancelled; says on one line what came of it.

    Parameters
    ----------
    done : called with (file or None, words)
    """

    def __init__(self, done: Callable[[Path | None, str], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._done = done
        self._process: QProcess | None = None
        self._cancelled = False

    @property
    def running(self) -> bool:
        return self._process is not None

    def start(self, log: Path, out: Path, case: Path | None, rig: Path | None) -> None:
        """Begin; one at a time."""
        if self._process is not None:
            return
        places = [*(("--case", str(case)) if case else ()), *(("--rig", str(rig)) if rig else ())]
        self._cancelled = False
        process = QProcess(self)
        self._process = process
        process.finished.connect(lambda code, _status: self._finished(code, out))
        process.errorOccurred.connect(self._failed)
        process.start(sys.executable, ["-m", "navtwin", "report", str(log), "--out", str(out), *places])

    def cancel(self) -> None:
        """Stop it; what was half written is not left behind (the report appears whole or not at all)."""
        if self._process is not None:
            self._cancelled = True
            self._process.kill()
            self._process.waitForFinished(2000)

    def _failed(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._process = None
            self._done(None, f"the report could not be started: {sys.executable} cannot be run")

    def _finished(self, code: int, out: Path) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        lines = bytes(process.readAllStandardError().data()).decode(errors="replace").strip().splitlines()
        process.deleteLater()
        if self._cancelled:
            out.with_name(out.name + ".part").unlink(missing_ok=True)
            self._done(None, "the report was cancelled")
        elif out.exists() and code in (0, 1):
            self._done(out, f"report written: {out}" + (" (it names failures)" if code else ""))
        else:
            self._done(None, f"no report: {lines[-1] if lines else f'exit code {code}'}")


def write_pdf(out: Path, session: Session, notes: tuple[Note, ...], pictures: tuple[tuple[str, QImage], ...], other: Session | None = None) -> None:
    """Print the review to A4 pages. `pictures` are (caption, image). Raises InputRefused where the file cannot be written."""
    part = out.with_name(out.name + ".part")
    try:
        part.touch()
    except OSError as error:
        raise InputRefused(f"cannot write {out}: {error.strerror}", "check the folder's rights and space") from error
    writer = QPdfWriter(str(part))
    writer.setResolution(PDF_DPI)
    writer.setTitle(f"navtwin review of {session.path.name}")
    writer.setPageLayout(QPageLayout(QPageSize(QPageSize.PageSizeId.A4), QPageLayout.Orientation.Portrait, QMarginsF(14, 14, 14, 14)))
    document = QTextDocument()
    document.documentLayout().setPaintDevice(writer)
    document.setDefaultStyleSheet(
        "body { font-family: sans-serif; font-size: 10pt; } h1 { font-size: 17pt; } h2 { font-size: 12pt; } .dim { color: #555555; }"
    )
    for n, (_, image) in enumerate(pictures):
        document.addResource(QTextDocument.ResourceType.ImageResource, QUrl(f"picture-{n}"), image)
    document.setHtml(page_html(session, notes, tuple(caption for caption, _ in pictures), other))
    document.setPageSize(writer.pageLayout().paintRectPixels(PDF_DPI).size().toSizeF())
    document.print_(writer)
    del writer
    try:
        if part.stat().st_size == 0:
            raise InputRefused(f"cannot write {out}: nothing was printed", "check the space on its disk")
        part.replace(out)
    except OSError as error:
        raise InputRefused(f"cannot write {out}: {error.strerror}", "check the folder's rights and space") from error


def page_html(session: Session, notes: tuple[Note, ...], captions: tuple[str, ...], other: Session | None) -> str:
    """The pages as text; picture number n stands at `picture-n`."""
    header = session.header
    when = datetime.fromtimestamp(header.utc_anchor_ns * 1e-9, UTC).strftime("%Y-%m-%d %H:%M UTC") if header else "unknown"
    facts = [("session", header.session if header else "unknown"), ("recorded", when), ("source", header.source if header else "unknown")]
    facts += [("length", f"{time_words(session.end_ns)}, navigation from {time_words(session.navigation_ns)}")]
    if damage := damage_words(session):
        facts.append(("damage", damage))
    rows = "".join(f"<tr><td class='dim'>{name}&nbsp;&nbsp;</td><td>{escape(value)}</td></tr>" for name, value in facts)
    shown = "".join(f"<h2>{escape(caption)}</h2><p><img src='picture-{n}' width='{PAGE_PX}'></p>" for n, caption in enumerate(captions))
    listed = [*events_of(session), *((note.t_ns, "note", note.text) for note in notes)]
    events = "".join(
        f"<tr><td align='right'>{time_words(t)}</td><td>{escape(kind)}</td><td>{escape(text)}</td></tr>" for t, kind, text in sorted(listed)
    )
    return (
        f"<h1>Review of {escape(session.path.name)}</h1><p class='dim'>{escape(NOT_A_DEVICE)}</p><table>{rows}</table>"
        f"<h2>Structures, while navigating</h2>{accounts_html((session,), ('',))}{shown}"
        + (f"<h2>Compared with {escape(other.path.name)}</h2>{comparison_html(session, other)}" if other else "")
        + f"<h2>Events</h2><table cellpadding='2' width='100%'>{events}</table>"
    )
