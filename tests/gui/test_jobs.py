"""Long work beside the window: progress, results, refusals, cancelling; and what the window's line makes of it."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from gui.desktop.desk import Desk as GuiDesk
from gui.desktop.jobs import CommandJob, Report, ThreadJob
from gui.desktop.notice import Notice
from navtwin.errors import InputRefused
from tests.gui.room import Desk


class Ended:
    """What a job's end said, and on which thread."""

    def __init__(self, job: Any) -> None:
        self.calls: list[tuple[object, str, bool]] = []
        main = threading.get_ident()
        job.ended.connect(lambda result, words: self.calls.append((result, words, threading.get_ident() == main)))


def test_a_threads_result_and_progress_come_in_the_windows_thread(qtbot: Any):
    told: list[tuple[str, bool]] = []
    main = threading.get_ident()

    def work(report: Report) -> int:
        report("half")
        return 7

    job = ThreadJob("count", work)
    job.told.connect(lambda words: told.append((words, threading.get_ident() == main)))
    ended = Ended(job)
    qtbot.waitUntil(lambda: bool(ended.calls))
    assert ended.calls == [(7, "", True)]
    assert told == [("half", True)]
    assert not job.running


def test_a_refusal_in_a_thread_is_told_in_words(qtbot: Any):
    def work(report: Report) -> None:
        raise InputRefused("no such scan", "choose another")

    job = ThreadJob("read", work)
    ended = Ended(job)
    qtbot.waitUntil(lambda: bool(ended.calls))
    assert ended.calls == [(None, "no such scan. Choose another.", True)]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_fault_of_ours_ends_the_job_and_is_told(qtbot: Any):
    def work(report: Report) -> None:
        raise ZeroDivisionError("by nothing")

    job = ThreadJob("divide", work)
    ended = Ended(job)
    qtbot.waitUntil(lambda: bool(ended.calls))
    assert "fault in the program (ZeroDivisionError: by nothing)" in ended.calls[0][1]


def test_a_cancelled_thread_brings_no_result(qtbot: Any):
    begun = threading.Event()

    def work(report: Report) -> int:
        begun.set()
        while True:
            report("on it")
            time.sleep(0.002)

    job = ThreadJob("dig", work)
    ended = Ended(job)
    begun.wait(5.0)
    job.cancel()
    qtbot.waitUntil(lambda: bool(ended.calls))
    assert ended.calls == [(None, "cancelled", True)]


def test_a_commands_refusal_is_its_last_words(qtbot: Any, tmp_path: Path):
    job = CommandJob("show", ["case", "show", str(tmp_path / "gone")])
    ended = Ended(job)
    qtbot.waitUntil(lambda: bool(ended.calls), timeout=30_000)
    assert "cannot read" in ended.calls[0][1]
    assert "Check the path" in ended.calls[0][1]


def test_a_cancelled_command_is_gone(qtbot: Any):
    job = CommandJob("listen", ["operator", "--port", "1", "--command-port", "2"])
    ended = Ended(job)
    job.cancel()
    qtbot.waitUntil(lambda: bool(ended.calls), timeout=10_000)
    assert ended.calls[0][1] == "cancelled"
    assert not job.running


def test_the_line_shows_work_until_it_ends_and_bad_news_until_they_are_dismissed(qtbot: Any):
    notice = Notice()
    qtbot.addWidget(notice)
    notice.setVisible(True)
    notice.say("no such case. Check the path.", bad=True)
    release = threading.Event()

    def work(report: Report) -> None:
        report("slice 3 of 9")
        release.wait(5.0)

    job = ThreadJob("reading", work)
    notice.follow(job)
    qtbot.waitUntil(lambda: "slice 3 of 9" in notice.work.text())
    assert notice.busy
    assert notice.words.text().startswith("no such case")
    release.set()
    qtbot.waitUntil(lambda: not notice.busy)
    assert notice.words.isVisibleTo(notice)
    assert not notice.bar.isVisibleTo(notice)
    notice.close_words.click()
    assert not notice.isVisible()


@pytest.fixture
def shared() -> GuiDesk:
    fed = Desk()
    return GuiDesk(fed.board, fed.orders.append, (5810, 5811), fed.clock)


def test_a_case_that_cannot_be_opened_is_said_and_leaves_no_scene(qtbot: Any, shared: GuiDesk, tmp_path: Path):
    said: list[tuple[str, bool]] = []
    shared.said.connect(lambda words, bad: said.append((words, bad)))
    (tmp_path / "case.toml").write_text("nonsense = 1")
    shared.open_case(tmp_path)
    qtbot.waitUntil(lambda: bool(said), timeout=30_000)
    assert said[-1][1]
    assert "nonsense" in said[-1][0]
    assert shared.scene is None


def test_a_session_needs_a_case(shared: GuiDesk):
    with pytest.raises(InputRefused, match="no case is open"):
        shared.start_session("phantom:pedicle")
