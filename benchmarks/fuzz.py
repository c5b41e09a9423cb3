"""Lets a coverage-guided fuzzer (atheris) loose on every reader of files: no crash, no hang over 5 s, capped memory, only our own refusals.

    pip install atheris
    python benchmarks/fuzz.py --minutes 10

The time is shared between the formats. A file that breaks a reader is kept beside the report, and the exit code is 1.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from common import parser, write_json
from rich.console import Console
from rich.table import Table

from navtwin.errors import InputRefused, NavtwinError

HANG_S, MEMORY_MB = 5, 2048


def main() -> int:
    options = parser(__doc__)
    options.add_argument("--minutes", type=float, default=10.0, help="in all, shared between the formats")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--only", default="", help="formats whose name contains this")
    options.add_argument("--keep", type=Path, default=Path("fuzz-findings"), help="where files that break a reader are kept")
    arguments = options.parse_args()
    if find_spec("atheris") is None:
        raise InputRefused("the fuzzer needs the package atheris", "install it with pip install atheris (Linux and macOS)")
    from tests.files.seeds import make_seeds

    with tempfile.TemporaryDirectory(prefix="navtwin-fuzz-") as scratch:
        case, rig, seeds = make_seeds(Path(scratch))
        wanted = {name: folder for name, folder in seeds.items() if arguments.only.lower() in name.lower()}
        if not wanted:
            raise InputRefused(f"no format's name contains '{arguments.only}'", f"known: {', '.join(sorted(seeds))}")
        arguments.keep.mkdir(parents=True, exist_ok=True)
        share_s = max(1, round(arguments.minutes * 60 / len(wanted)))
        rows = {name: _fuzz(name, folder, case, rig, share_s, arguments) for name, folder in wanted.items()}
    table = Table("format", "files tried", "code reached", "found", title=f"{share_s} s each, seed {arguments.seed}")
    for name, row in rows.items():
        table.add_row(name, str(row["tried"]), str(row["reached"]), str(row["found"]) or "nothing")
    Console().print(table)
    write_json(arguments.json, {"seconds_each": share_s, "seed": arguments.seed, "formats": rows})
    return int(any(row["found"] for row in rows.values()))


def _fuzz(name: str, seeds: Path, case: Path, rig: Path, share_s: int, arguments: object) -> dict[str, object]:
    prefix = f"{arguments.keep}/{re.sub(r'[^A-Za-z0-9]+', '-', name)}-"  # type: ignore[attr-defined]
    command = [
        sys.executable, str(Path(__file__).parent / "fuzz_parts" / "target.py"), str(case), str(rig), f"-max_total_time={share_s}",
        f"-timeout={HANG_S}", f"-rss_limit_mb={MEMORY_MB}", f"-seed={arguments.seed}",  # type: ignore[attr-defined]
        f"-artifact_prefix={prefix}", "-print_final_stats=1", str(seeds),
    ]  # fmt: skip
    run = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    tried = re.search(r"stat::number_of_executed_units:\s*(\d+)", run.stderr)
    reached = re.findall(r"cov: (\d+)", run.stderr)
    found = ""
    if run.returncode != 0:
        raised = re.findall(r"^(?:\w+\.)*\w*(?:Error|Exception|Warning|Interrupt)\b.*$|^==\d+== ?ERROR: .*$", run.stderr, re.MULTILINE)
        found = (raised[-1] if raised else run.stderr.strip().splitlines()[-1] if run.stderr.strip() else f"exit code {run.returncode}")[:200]
        Path(f"{prefix}said.txt").write_text(run.stderr, encoding="utf-8")
    return {"tried": int(tried[1]) if tried else 0, "reached": int(reached[-1]) if reached else 0, "found": found}


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except NavtwinError as refused:
        raise SystemExit(f"fuzz: {refused}") from None
