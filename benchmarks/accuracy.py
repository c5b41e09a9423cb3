"""How accurate is the chain? Against known truth in the manner of ASTM F2554, on simulated rigs and on a printed one; and what is foretold of it.

`navtwin bench accuracy` measures all parts; `--only astm,tre` some of them. `--source camera:0 --rig rig.toml` has the printed sheet of points
touched, step by step (`navtwin markers points` prints it), and adds the figures of that rig; `--touches FILE` adds those of an assessment that was
done before.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec
from results import cli
from results.model import Distribution, Figure, Table

from benchmarks.accuracy_parts.settings import Rows, Settings
from navtwin.assess.tables import CAUTION
from navtwin.errors import InputRefused, nearest

T = TypeVar("T", bound=msgspec.Struct)

#: What can be asked for by name, in the order of the report; the rendered camera and the printed rig only where they are asked for.
PARTS = ("astm", "camera", "printed", "tre", "chain")
DEFAULT_PARTS = ("astm", "camera", "tre", "chain")
NOTES = (
    CAUTION,
    "Simulated: a pointer as a workshop makes it is pivoted and touches a stepped block at the extremes of the tracker's volume; figures are means "
    "over devices, each with a bias field, a pointer and a hand of its own, against the truth, with no fit.",
    "Rendered and printed: the artefact's place is fitted to the touches of all places, so a bias that they share is hidden.",
    "FRE does not foretell TRE: it is told beside it, with their correlation, and never as accuracy.",
)


def main() -> int:
    """Measure, print, write; the exit code."""
    arguments = _options().parse_args()
    wanted = _wanted(arguments)
    run = cli.run_begun("accuracy", arguments)
    figures, tables, distributions = list[Figure](), list[Table](), list[Distribution]()
    for name in wanted:
        rows = _PARTS[name](arguments)
        figures += _as(rows[0], Figure)
        tables += _as(rows[1], Table)
        distributions += _as(rows[2], Distribution)
    counted = ("devices", "registrations", "pivots", "seeds", "first")
    settings = {"parts": ",".join(wanted), **{name: getattr(arguments, name) for name in counted}}
    result = run.result(
        settings=settings,
        figures=figures,
        tables=tables,
        distributions=distributions,
        notes=NOTES,
        seeds=range(arguments.first, arguments.first + arguments.devices),
    )
    return cli.finish(arguments, result, whole=set(DEFAULT_PARTS) <= set(wanted))


def _options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="navtwin bench accuracy", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--only", metavar="PARTS", help=f"of {', '.join(PARTS)}, separated by commas (default: {','.join(DEFAULT_PARTS)})")
    options.add_argument("--quick", action="store_true", help="one device, fewer trials: shows that it works, not how well")
    options.add_argument("--devices", type=int, default=10, metavar="N", help="simulated devices, each with a seed of its own")
    options.add_argument("--first", type=int, default=1, metavar="SEED", help="of the first")
    options.add_argument("--registrations", type=int, default=1000, metavar="N", help="seeded registrations of each kind")
    options.add_argument("--pivots", type=int, default=500, metavar="N", help="seeded pivot calibrations of each kind")
    options.add_argument("--seeds", type=int, default=20, metavar="N", help="rehearsals of the whole chain")
    options.add_argument("--case", type=Path, metavar="FOLDER", help="the case that they are rehearsed on (default: the demo's)")
    options.add_argument("--jobs", type=int, default=2, metavar="N", help="processes")
    options.add_argument("--page", type=Path, metavar="FILE", help="write the first assessment as a page of its own, with plots over the volume")
    printed = options.add_argument_group("a printed rig, by a guided procedure (as `navtwin assess`)")
    printed.add_argument("--source", metavar="SOURCE", help="camera:0, ndi:PORT ...: touch the sheet of points now")
    printed.add_argument("--rig", type=Path, metavar="FILE", help="its rig.toml")
    printed.add_argument("--artefact", type=Path, metavar="FILE", help="points and where they are (default: the printed sheet)")
    printed.add_argument("--check-mm", type=float, metavar="MM", help="what a ruler says of the sheet's check length")
    printed.add_argument("--tool", default="pointer", metavar="NAME", help="the pointer's name in the rig")
    printed.add_argument("--places", default="middle,near,far,left,right", metavar="NAMES", help="where the artefact is put")
    printed.add_argument("--points", type=int, default=0, metavar="N", help="so many points at each place; 0: all")
    printed.add_argument("--repeats", type=int, default=10, metavar="N", help="touches of the centre at each place")
    printed.add_argument("--touches", type=Path, metavar="FILE", help="where each touch is kept at once, and gone on with")
    cli.add_options(options)
    return options


def _wanted(arguments: argparse.Namespace) -> tuple[str, ...]:
    if arguments.quick:
        arguments.devices, arguments.registrations, arguments.pivots, arguments.seeds = 1, 40, 40, 2
    if min(arguments.devices, arguments.jobs, arguments.seeds) < 1 or arguments.registrations < 4 or arguments.pivots < 4:
        raise InputRefused(
            "fewer trials than say anything", "ask for one device, one rehearsal and one process at least, four registrations and four pivots"
        )
    on_a_rig = arguments.source is not None or arguments.touches is not None
    if arguments.source is not None and arguments.rig is None:
        raise InputRefused("--source is given, but no rig", "pass --rig rig.toml")
    names = tuple(arguments.only.split(",")) if arguments.only else (*DEFAULT_PARTS, *(("printed",) if on_a_rig else ()))
    for name in names:
        if name not in PARTS:
            raise InputRefused(f"the benchmark has no part '{name}'", nearest(name, PARTS))
    if "printed" in names and not on_a_rig:
        raise InputRefused("part 'printed' needs a rig at hand", "pass --source and --rig, or --touches of an assessment that was done")
    return tuple(name for name in PARTS if name in names)


def _astm(arguments: argparse.Namespace) -> Rows:
    from benchmarks.accuracy_parts.astm import astm_rows
    from navtwin.assess.report import write_html

    seeds = range(arguments.first, arguments.first + arguments.devices)
    rows, first = astm_rows(seeds, arguments.jobs, quiet=arguments.quiet)
    if arguments.page is not None:
        write_html(arguments.page, first)
    return rows


def _camera(arguments: argparse.Namespace) -> Rows:
    from benchmarks.accuracy_parts.astm import figures_over, tables_for
    from benchmarks.accuracy_parts.astm_camera import assess_rendered
    from navtwin.assess.tables import figures_of

    found = assess_rendered(arguments.first, quiet=arguments.quiet)
    return figures_over([figures_of(found)], "rendered camera"), tables_for(found, "Rendered camera"), ()


def _printed(arguments: argparse.Namespace) -> Rows:
    from benchmarks.accuracy_parts.astm import figures_over, tables_for
    from navtwin.assess.command import design_of, judged, touch_all
    from navtwin.assess.report import write_html
    from navtwin.assess.tables import figures_of

    touches = arguments.touches or Path("touches.jsonl")
    if arguments.source is not None:
        design = design_of(arguments.places, arguments.repeats, arguments.points, lean_deg=30.0)
        where = (arguments.source, arguments.rig, arguments.artefact, touches)
        touch_all(*where, arguments.tool, arguments.check_mm, design, dwell_s=1.0, sound=not arguments.quiet)
    found = judged(touches)
    if not found.complete:
        raise InputRefused(f"{touches} is not complete: {found.touches} touches", "run the same command again: it goes on where it stopped")
    if arguments.page is not None:
        write_html(arguments.page, found)
    return figures_over([figures_of(found)], "printed rig"), tables_for(found, "Printed rig"), ()


def _tre(arguments: argparse.Namespace) -> Rows:
    from benchmarks.accuracy_parts.tre import tre_rows

    return tre_rows(_settings(arguments))


def _chain(arguments: argparse.Namespace) -> Rows:
    from benchmarks.accuracy_parts.chain import chain_rows

    return chain_rows(_settings(arguments))


def _settings(arguments: argparse.Namespace) -> Settings:
    return Settings(
        registrations=arguments.registrations,
        pivots=arguments.pivots,
        seeds=arguments.seeds,
        first=arguments.first,
        case=arguments.case,
        jobs=arguments.jobs,
        quiet=arguments.quiet,
    )


_PARTS: dict[str, Callable[[argparse.Namespace], Rows]] = {"astm": _astm, "camera": _camera, "printed": _printed, "tre": _tre, "chain": _chain}


def _as(things: Sequence[msgspec.Struct], kind: type[T]) -> list[T]:
    """The same, as the classes that the writers know: a part is imported as `benchmarks.accuracy_parts`, for its processes, and they are not."""
    return [msgspec.convert(msgspec.to_builtins(thing), kind) for thing in things]


if __name__ == "__main__":
    sys.exit(cli.exit_code(main))
