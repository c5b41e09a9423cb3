"""From a log to arrays, rows and verdicts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_up import HIDDEN_S, LATENCY_NS, MS, PERIOD_NS, STORY, T0_NS, MadeUp, made_header, made_rig, made_scene, write_journal, write_session

from navtwin.errors import InputRefused, LogDamaged
from navtwin.nouns import Collect, Reply, SetLimits, Truth, Undo
from navtwin.report.accuracy import tip_accuracy
from navtwin.report.against_truth import high_alarm_spans, judge_session, limit_steps, rules_of
from navtwin.report.episodes import CommandRow
from navtwin.report.gather import Draft, load_session
from navtwin.report.latency import latency, read_journal
from navtwin.report.session import Session
from navtwin.report.summary import summarise


def test_truth_is_matched_by_frame_and_moved_onto_the_session_s_clock(good: Session) -> None:
    truth = good.truth["spinal_canal/drill/neck"]
    np.testing.assert_array_equal(truth.t_ns, T0_NS + np.arange(truth.t_ns.size) * PERIOD_NS)
    t_s, mm = zip(*STORY["spinal_canal/drill/neck"], strict=True)
    np.testing.assert_allclose(truth.distance_mm, np.interp(np.arange(truth.t_ns.size) / 60.0, t_s, mm))


def test_truth_of_a_dropped_frame_takes_the_last_offset() -> None:
    draft = Draft()
    draft.frames = [(1, 1, 1_000, 1_010, 1_010), (3, 2, 3_050, 3_060, 3_060)]
    for frame, t_ns in ((1, 0), (2, 1_000), (3, 2_000), (4, 3_000)):
        draft.take_truth(Truth(frame=frame, t_capture_ns=t_ns, instruments=(), distances=()))
    from navtwin.report.gather import _true_times

    session = draft.finish(made_header())
    assert _true_times(draft.truths, session.frames).tolist() == [1_000, 2_000, 3_050, 4_050]


def test_measured_series_are_nan_where_unknown(good: Session) -> None:
    pair = good.pairs["spinal_canal/drill/neck"]
    t_s = (pair.t_ns - T0_NS) / PERIOD_NS / 60.0
    hidden = (t_s >= HIDDEN_S[0]) & (t_s < HIDDEN_S[1])
    assert np.isnan(pair.distance_mm[hidden]).all()
    assert np.isfinite(pair.distance_mm[~hidden]).all()
    assert set(pair.status[hidden]) == {"HIDDEN"}


def test_alert_rows_follow_rises_falls_acknowledgements_and_losses(good: Session) -> None:
    rows = [(r.level, r.rose, r.acked_by, r.unknown_in_between) for r in good.alerts if r.id == "spinal_canal/drill/neck"]
    assert rows == [("CAUTION", True, "", False), ("DANGER", True, "surgeon", False), ("CAUTION", False, "", False), ("CAUTION", True, "", True)]
    danger = good.alerts[1]
    assert danger.limit_mm == 1.0
    assert danger.bound_mm is not None and danger.bound_mm <= 1.0
    assert danger.nearest_mm is not None and danger.distance_mm is not None and danger.nearest_mm < danger.distance_mm
    assert danger.acked_ns is not None and 27.9 < good.seconds(danger.acked_ns) < 28.2
    assert all(r.end_ns is not None for r in good.alerts)


def test_technical_rows_commands_marks_and_setup(good: Session) -> None:
    (lost,) = good.technical
    assert (lost.id, lost.priority) == ("TRACKING_LOST/drill", "high")
    assert lost.end_ns is not None and (lost.end_ns - lost.start_ns) * 1e-9 == pytest.approx(1.2, abs=0.02)
    assert good.marks[0][1] == "left pedicle along the plan"
    ack = next(c for c in good.commands if c.who == "surgeon")
    assert ack.text == "ack spinal_canal/drill/neck DANGER"
    assert ack.reply is not None and ack.reply.ok
    assert good.pivots["drill"].samples == 480
    assert good.registration is not None


def test_closest_approach_has_its_state_and_the_alerts_then(good: Session) -> None:
    assert good.closest is not None and good.closest_alerts is not None
    least = min(float(np.nanmin(p.distance_mm)) for p in good.pairs.values())
    assert good.nearest["spinal_canal"].distance_mm == least
    assert any(r.distance_mm == least for r in good.closest.readings)
    assert {a.level for a in good.closest_alerts.alerts} == {"DANGER"}


def test_a_faultless_session_is_found_faultless(good: Session) -> None:
    summary = summarise(good, made_scene(), made_rig())
    assert (summary.verdict, summary.missed, summary.late, summary.spurious, summary.masked, summary.dropped) == ("good", 0, 0, 0, 0, 0)
    # neck: caution twice, danger; burr to aorta: caution, danger
    assert summary.crossings == 5
    assert summary.faults == ()
    assert summary.alerts == 5


def test_each_planted_fault_is_found_and_nothing_else(bad_log: Path) -> None:
    findings = judge_session(load_session(bad_log), made_scene(), made_rig())
    bad = [(f.verdict, f.pair, f.rank) for f in findings if f.verdict not in ("in time", "unknown")]
    assert bad == [
        ("spurious", "spinal_canal/drill/burr", 2),
        ("late", "spinal_canal/drill/neck", 1),
        ("late", "spinal_canal/drill/neck", 2),
        ("missed", "aorta/drill/burr", 1),
        ("missed", "aorta/drill/burr", 2),
    ]


def test_missed_while_another_alert_stands_is_masked(tmp_path: Path) -> None:
    story = dict(STORY) | {"aorta/drill/burr": [(0, 60), (24, 60), (27, 4), (29, 1), (30, 1), (33, 60)]}
    write_session(tmp_path / "m.mcap", MadeUp(story=story, silent=("aorta/drill/burr",), seconds=40.0))  # type: ignore[arg-type]
    summary = summarise(load_session(tmp_path / "m.mcap"), made_scene(), made_rig())
    assert (summary.missed, summary.masked) == (2, 2)
    assert all("masked: active meanwhile drill neck to spinal canal" in line for line in summary.faults)


def test_a_crossing_while_the_drill_is_hidden_is_unknown_and_alarmed(tmp_path: Path) -> None:
    story = dict(STORY) | {"spinal_canal/drill/neck": [(0, 9), (4, 4), (5, 4), (5.2, 1.8), (5.8, 1.8), (6.0, 4), (12, 9)]}
    write_session(tmp_path / "h.mcap", MadeUp(story=story, hidden_s=(4.9, 6.2), seconds=12.0))  # type: ignore[arg-type]
    summary = summarise(load_session(tmp_path / "h.mcap"), made_scene(), made_rig())
    assert (summary.verdict, summary.unknown, summary.missed) == ("good", 1, 0)


def test_without_truth_nothing_is_judged(tmp_path: Path) -> None:
    write_session(tmp_path / "t.mcap", MadeUp(with_truth=False, seconds=4.0))
    summary = summarise(load_session(tmp_path / "t.mcap"), made_scene(), made_rig())
    assert (summary.verdict, summary.judged, summary.crossings) == ("not judged", False, 0)
    assert summary.tips == ()


def test_alarms_about_other_instruments_or_about_the_disk_excuse_nothing(good: Session) -> None:
    from dataclasses import replace

    (lost,) = good.technical
    about = lambda **change: high_alarm_spans(replace(good, technical=(replace(lost, **change),)), made_rig(), "drill", "ref")  # noqa: E731
    assert len(about()) == 1
    assert len(about(subject="")) == 1
    assert len(about(priority="medium")) == 0
    assert len(about(id="DISK_FULL/", subject="")) == 0
    assert len(high_alarm_spans(good, made_rig(), "pointer", "ref")) == 0


def test_limits_follow_accepted_changes_and_undo() -> None:
    def row(t: int, order: SetLimits | Undo | Collect, ok: bool = True) -> CommandRow:
        return CommandRow(t, "s", str(t), order, "", Reply(id=str(t), who="s", ok=ok))

    change = SetLimits(structure="aorta", caution_mm=5.0, danger_mm=2.0)
    touch = Collect(what="landmark", tool="pointer", action="stop", landmark="x")
    commands = (
        row(10, change),
        row(20, SetLimits(structure="aorta", caution_mm=9.0, danger_mm=2.0), ok=False),
        row(30, touch),
        row(40, Undo()),
        row(50, Undo()),
    )
    steps = limit_steps(made_scene().structure("aorta"), commands)
    caution, danger = steps.at(np.array([5, 10, 25, 45, 50]))
    assert caution.tolist() == [3.0, 5.0, 5.0, 5.0, 3.0]
    assert danger.tolist() == [1.5, 2.0, 2.0, 2.0, 1.5]


def test_tip_error_is_told_apart_from_what_latency_adds(good: Session) -> None:
    """Error at capture: normal, 0.1 mm sd along one axis, hence mean 0.1 sqrt(2 / pi). Travel: the script's speed times latency + output delay."""
    (tip,) = tip_accuracy(good, made_rig().tracker.output_delay_ms)
    assert tip.mean_mm == pytest.approx(0.1 * np.sqrt(2.0 / np.pi), rel=0.05)
    assert tip.delay_ms == pytest.approx(20.0, abs=0.2)
    t_s, mm = zip(*STORY["spinal_canal/drill/neck"], strict=True)
    fastest = float(np.abs(np.diff(mm) / np.diff(t_s)).max())
    assert tip.moved_max_mm == pytest.approx(0.020 * fastest, rel=0.15)


def test_latency_by_stage(good: Session, good_log: Path, tmp_path: Path) -> None:
    write_journal(tmp_path / "j.jsonl", good_log)
    stages = {s.name: s for s in latency(good, read_journal(tmp_path / "j.jsonl"))}
    assert stages["capture → arrival"].p50_ms == pytest.approx(LATENCY_NS / MS, abs=0.1)
    assert stages["arrival → step done"].max_ms == pytest.approx(0.6, abs=0.01)
    assert stages["published → alert received"].p50_ms == pytest.approx(1.2)
    assert stages["arrival → alert received"].p99_ms == pytest.approx(1.9, abs=0.01)
    assert all(s.p50_ms <= s.p95_ms <= s.p99_ms <= s.max_ms for s in stages.values())
    assert set(latency(good, None)) <= set(stages.values())


def test_latency_is_not_measured_at_another_speed(tmp_path: Path) -> None:
    write_session(tmp_path / "fast.mcap", MadeUp(speed=4.0, seconds=2.0))
    assert latency(load_session(tmp_path / "fast.mcap")) == []


def test_a_journal_cut_in_its_last_line_is_read_and_a_broken_one_refused(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    path.write_text('{"topic":"alerts","seq":1,"t_publish_ns":1,"t_received_ns":2}\n{"topic":"ale')
    assert [e.seq for e in read_journal(path)] == [1]
    path.write_text('{"topic":"alerts"}\nnot json\n{}\n')
    with pytest.raises(InputRefused, match="line 2"):
        read_journal(path)
    with pytest.raises(InputRefused, match="cannot read"):
        read_journal(tmp_path / "none")


def test_a_log_without_header_is_refused(tmp_path: Path) -> None:
    write_session(tmp_path / "n.mcap", MadeUp(with_header=False, seconds=0.1))
    with pytest.raises(LogDamaged, match="no header"):
        load_session(tmp_path / "n.mcap")


def test_time_allowed_is_the_rig_s(good: Session) -> None:
    rules = rules_of(good, made_rig())
    assert rules.allowed_ns == round(1e9 / 60) + 20 * MS
    assert rules_of(good, made_rig(), transport_ns=7).allowed_ns == round(1e9 / 60) + 7
