"""Is a replay the same to the bit under other Pythons and for other processors? Logs are replayed in each, and all that comes out is hashed.

`navtwin bench replay [--logs 20]`. Other Pythons are those named in NAVTWIN_OTHER_PYTHONS (divided like PATH) and python3.11 to python3.13 on the
PATH, where they have the packages. Other processors are what Numba compiles for: plain SSE2, SSE4.2, and AVX2 with fused multiply-add.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fleet_parts.logs import made_logs
from results import cli
from results.model import Figure, Table
from rich.console import Console
from rich.progress import Progress

from navtwin.errors import InputRefused
from navtwin.nouns import read_rig
from navtwin.record.replay import verify
from navtwin.scene.case import load_scene
from navtwin.twin import new_memory, step
from phantoms.cases import phantom_patient

ROOT = Path(__file__).resolve().parents[1]
OTHER_PYTHONS = "NAVTWIN_OTHER_PYTHONS"
#: Processors of x86-64 and their own features, whatever this machine's are.
PROCESSORS = {"generic": "", "nehalem": "+sse4.2,+popcnt", "haswell": "+avx2,+fma,+bmi,+bmi2,+popcnt"}
#: What an interpreter must be able to load to replay a log, with the checkout on its path.
NEEDED = "import navtwin.twin, navtwin.scene.case, navtwin.record.replay, platform; print(platform.python_version())"


@dataclass(frozen=True)
class Where:
    """A Python and a processor to replay on; `environment` is added to this process's."""

    name: str
    python: str
    environment: dict[str, str]


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--logs", type=int, default=20, help="how many logs")
    options.add_argument("--seconds", type=float, default=60.0, help="length of each session")
    options.add_argument("--jobs", type=int, default=2, help="processes that make the logs")
    options.add_argument("--case", type=Path, help="case folder with rig.toml (default: the built-in phantom's)")
    cli.add_options(options)
    arguments = options.parse_args()
    if arguments.logs < 1:
        raise InputRefused(f"--logs {arguments.logs}: nothing to replay", "ask for one or more")
    run = cli.run_begun("replay", arguments)
    console = Console(stderr=True)
    case = arguments.case or phantom_patient(console)
    places, notes = places_to_run()
    with Progress(console=console, transient=True) as bar:
        making = bar.add_task("making logs", total=arguments.logs)
        logs = made_logs(case, arguments.logs, arguments.seconds, arguments.logs, arguments.jobs, lambda count: bar.advance(making, count))
        doing = bar.add_task("replaying", total=(len(places) + 1) * len(logs))
        scene, rig = load_scene(case), read_rig(case / "rig.toml")
        differing = 0
        for log in logs:
            differing += not verify(log, scene, rig, step, new_memory).identical
            bar.advance(doing)
        digests = {place.name: digests_of(place, case, logs, lambda: bar.advance(doing)) for place in places}
    reference = digests[places[0].name]
    unlike = {name: sum(a != b for a, b in zip(found, reference, strict=True)) for name, found in digests.items()}
    rows = tuple((name, str(len(found)), str(unlike[name]), found[0][:16]) for name, found in digests.items())
    return cli.finish(
        arguments,
        run.result(
            settings={"logs": arguments.logs, "seconds": arguments.seconds},
            figures=(
                Figure(name="logs that differ from what was recorded", value=float(differing), unit=""),
                Figure(name="logs with other bits elsewhere", value=float(sum(unlike.values())), unit=""),
                Figure(name="Python versions", value=float(len({place.name.split(",")[0] for place in places})), unit="", better="none"),
                Figure(name="processors", value=float(sum("," in place.name for place in places)), unit="", better="none"),
            ),
            tables=(Table(title="all outputs of each log, hashed", columns=("where", "logs", "with other bits", "hash of the first"), rows=rows),),
            notes=notes,
        ),
    )


def places_to_run() -> tuple[list[Where], list[str]]:
    """This Python first, as the reference; then every other place there is, and what there is not, in words."""
    notes = []
    mine = f"Python {platform.python_version()}"
    places = [Where(mine, sys.executable, {})]
    named = [path for path in os.environ.get(OTHER_PYTHONS, "").split(os.pathsep) if path]
    found = [shutil.which(f"python3.{minor}") for minor in (11, 12, 13) if minor != sys.version_info.minor]
    for python in dict.fromkeys([*named, *(path for path in found if path)]):
        asked = subprocess.run([python, "-c", NEEDED], env=_environment({}), cwd=ROOT, capture_output=True, text=True, check=False)
        if asked.returncode == 0:
            places.append(Where(f"Python {asked.stdout.strip()}", python, {}))
        else:
            notes.append(f"{Path(python).name} was passed over: {(asked.stderr.strip().splitlines() or ['it does not start'])[-1]}")
    if len(places) == 1:
        notes.append(f"no other Python here has the packages, so only {mine} was tried: name others in {OTHER_PYTHONS}")
    if platform.machine() in ("x86_64", "AMD64"):
        places += [
            Where(f"{mine}, {name}", sys.executable, {"NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": features})
            for name, features in PROCESSORS.items()
        ]
    else:
        notes.append(f"the processors {', '.join(PROCESSORS)} are x86-64, and this machine is {platform.machine()}: none was tried")
    return places, notes


def digests_of(place: Where, case: Path, logs: Sequence[Path], told: Callable[[], None]) -> list[str]:
    """The hash of each log's outputs there; `told` hears of each."""
    command = [place.python, "-m", "benchmarks.fleet_parts.bits", str(case), *map(str, logs)]
    found = []
    with subprocess.Popen(command, env=_environment(place.environment), cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            found.append(json.loads(line)["digest"])
            told()
    if process.returncode or len(found) != len(logs):
        raise InputRefused(f"replaying under {place.name} failed", "see what it said above")
    return found


def _environment(more: dict[str, str]) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT)} | more


if __name__ == "__main__":
    sys.exit(cli.exit_code(main))
