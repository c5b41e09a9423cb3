"""Verdicts, findings and names in words, alike in the terminal and on the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from navtwin.nouns import LEVELS
from navtwin.report.judge import Finding
from navtwin.report.session import Session

if TYPE_CHECKING:
    from navtwin.report.summary import Summary


def words(name: str) -> str:
    """A name from a case file as people write it."""
    return name.replace("_", " ")


def pair_words(pair: str) -> str:
    """`structure/instrument/part` as people say it."""
    structure, instrument, part = pair.split("/", 2)
    return f"{words(instrument)} {words(part)} to {words(structure)}"


def in_words(finding: Finding, session: Session) -> str:
    """One finding as one line."""
    who, level, t_s = pair_words(finding.pair), LEVELS[finding.rank], session.seconds(finding.t_ns)
    if finding.verdict == "spurious":
        text = (
            f"spurious: {who} rose to {level} at {t_s:.2f} s, limit {finding.limit_mm:g} mm; the truth stayed at {finding.nearest_mm:.2f} mm or more"
        )
    elif finding.verdict == "dropped":
        text = f"dropped: {who} fell below {level} at {t_s:.2f} s with the truth still inside {finding.limit_mm:g} mm"
    else:
        text = f"{finding.verdict}: {who} truly crossed {finding.limit_mm:g} mm ({level}) at {t_s:.2f} s and came to {finding.nearest_mm:.2f} mm; "
        text += f"raised {(finding.late_ns or 0) * 1e-6:.0f} ms after the time allowed" if finding.verdict == "late" else "never raised"
    if finding.masked_by:
        text += "; masked: active meanwhile " + ", ".join(pair_words(pair) for pair in finding.masked_by)
    return text


def headline(summary: Summary) -> str:
    """The verdict in one sentence."""
    if summary.verdict == "not judged":
        return "Not judged: the source states no truth"
    if summary.verdict == "bad":
        count = len(summary.faults)
        return f"{count} fault{'s' if count > 1 else ''} against truth"
    if not summary.crossings:
        return "No limit was truly crossed, and nothing was raised without cause"
    return "Every true crossing was answered in time, and nothing was raised without cause"


def verified_words(summary: Summary) -> str:
    """What `verify` found, in words."""
    found = summary.verified
    if found is None:
        return "not run"
    if found.identical:
        return f"identical to the bit ({found.compared} outputs)" + (f"; changed since: {', '.join(found.changed)}" if found.changed else "")
    return found.first.text if found.first else "differs"


def known(value: float | None, form: str = ".2f", unit: str = "") -> str:
    """A number, or a dash where there is none."""
    return "–" if value is None else f"{value:{form}}{unit}".replace("-", "−")


def yes_no(value: bool | None) -> str:
    return "–" if value is None else "yes" if value else "no"
