"""The tables that a fleet writes: what each row is and what its columns mean. docs/fleet.md repeats them."""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple

#: Version of the tables: whatever an older reader would misread raises it.
RESULTS: Final = 1
#: What was done with a log. The first four are its own and final; the others may come out otherwise next time, so they are tried again.
Status = Literal["identical", "differs", "damaged", "version", "refused", "no case", "died", "failed"]
FINAL: Final[tuple[Status, ...]] = ("identical", "differs", "damaged", "version")

Row = dict[str, Any]
Rows = dict[str, list[Row]]


class Column(NamedTuple):
    """`kind` is a type of Arrow as pyarrow prints it; any column may be null where there is nothing to say."""

    name: str
    kind: str
    meaning: str


_LOG: Final = (
    Column("log_hash", "string", "SHA-256 of the log's bytes"),
    Column("log", "string", "where it lay"),
)

TABLES: Final[dict[str, tuple[Column, ...]]] = {
    # One row per log. It is written last: a log whose row is there is done, and its rows in the other tables are whole.
    "logs": (
        *_LOG,
        Column("status", "string", "identical, differs, damaged, version, refused, no case, died or failed"),
        Column("reason", "string", "why it is none of the first two, or what is to be known"),
        Column("code", "string", "hash of the code that replayed it"),
        Column("code_logged", "string", "hash of the code that recorded it"),
        Column("version_logged", "string", "the navtwin that recorded it"),
        Column("case_hash", "string", "the case it belongs to"),
        Column("rig_same", "bool", "whether the rig at hand is the one it was recorded with"),
        Column("session", "string", "the session's id"),
        Column("source", "string", "where its poses came from"),
        Column("utc_ns", "int64", "when it was recorded, ns since 1970"),
        Column("first_t_ns", "int64", "time of its first input; seconds count from it"),
        Column("seconds", "double", "from its first input to its last"),
        Column("inputs", "int64", "inputs that were replayed"),
        Column("compared", "int64", "inputs whose outputs were compared"),
        Column("differing", "int64", "of them, those that differ"),
        Column("first_difference", "string", "the first field that differs, in one line"),
        Column("crossings", "int64", "true crossings of a limit; null where no truth is in the log"),
        Column("missed", "int64", "of them, never answered"),
        Column("late", "int64", "answered after the time allowed"),
        Column("spurious", "int64", "alerts that nothing called for"),
        Column("worker", "string", "the machine that replayed it"),
        Column("took_s", "double", "how long that took, s"),
        Column("task_version", "int64", "of the task that wrote this"),
    ),
    # One row per warning while it lasted, per version of the code that gave it.
    "warnings": (
        *_LOG,
        Column(
            "said_by", "string", "log: as it was recorded; replay: as the code of today says it, where it is not that of the log or differs from it"
        ),
        Column("code", "string", "hash of the code that gave this warning"),
        Column("kind", "string", "alert or technical"),
        Column("id", "string", "structure/instrument/part, or the technical alarm's id"),
        Column("structure", "string", "empty for a technical alarm"),
        Column("level", "string", "the highest that it reached"),
        Column("begun_seq", "int64", "input with which it began"),
        Column("begun_ns", "int64", "its time, ns on the log's clock"),
        Column("begun_s", "double", "s after the log's first input"),
        Column("ended_ns", "int64", "when it was gone; null if it stood to the end"),
        Column("least_bound_mm", "double", "the least bound while it stood"),
        Column("said_seq", "list<int64>", "input of every published set that had it"),
        Column("said_t_ns", "list<int64>", "its time"),
        Column("said_rank", "list<int64>", "level then: 0 CLEAR to 3 CONTACT; priority of an alarm: 0 none to 3 high"),
        Column("said_known", "list<bool>", "false: unknown, the level was held"),
        Column("said_bound_mm", "list<double>", "bound then, null where unknown"),
        Column("said_distance_mm", "list<double>", "distance then, null where unknown"),
    ),
    # One row per instrument part and structure whose distance differs.
    "distances": (
        *_LOG,
        Column("code", "string", "hash of the code of today, against what was logged"),
        Column("pair", "string", "structure/instrument/part"),
        Column("compared", "int64", "states in which both knew it"),
        Column("most_mm", "double", "the greatest difference"),
        Column("before_mm", "double", "logged there"),
        Column("now_mm", "double", "now there"),
        Column("unlike", "int64", "states in which only one side knew it"),
        Column("seq", "int64", "the input to look at"),
        Column("seconds", "double", "s after the log's first input"),
    ),
    # One row per log and stage, where latency was measured.
    "latency": (
        *_LOG,
        Column("stage", "string", "from where to where"),
        Column("samples", "int64", "frames of navigation"),
        Column("p50_ms", "double", ""),
        Column("p95_ms", "double", ""),
        Column("p99_ms", "double", ""),
        Column("max_ms", "double", ""),
    ),
    # One row per pair and limit, where the log states a truth.
    "crossings": (
        *_LOG,
        Column("alert", "string", "structure/instrument/part"),
        Column("level", "string", "what the limit calls for"),
        Column("limit_mm", "double", ""),
        Column("crossings", "int64", "true crossings"),
        Column("in_time", "int64", "answered in the time allowed"),
        Column("unknown", "int64", "tracking was lost, and a high alarm said so"),
        Column("shortest_lead_ms", "double", "the least time to spare"),
    ),
    # One row per log that `fleet bench` replayed.
    "bench": (
        *_LOG,
        Column("status", "string", "as in logs; `identical` says that it ran"),
        Column("reason", "string", "why it did not run"),
        Column("code", "string", "hash of the code that ran"),
        Column("worker", "string", "the machine that ran it"),
        Column("seconds", "double", "the session's length"),
        Column("inputs", "int64", "steps of the fold"),
        Column("replay_s", "double", "reading, decoding and stepping"),
        Column("speed", "double", "session seconds per second of replay"),
        Column("step_p50_us", "double", "one step on a tracker frame, microseconds"),
        Column("step_p99_us", "double", ""),
        Column("step_max_us", "double", ""),
        Column("task_version", "int64", "of the task that wrote this"),
    ),
}
#: The table with one row per log that each task writes last.
HEAD: Final = {"verify": "logs", "bench": "bench"}
#: Which tables belong to each task, the head last.
OF_TASK: Final = {"verify": ("warnings", "distances", "latency", "crossings", "logs"), "bench": ("bench",)}
