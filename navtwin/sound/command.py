"""`navtwin sound`: a check of the loudspeakers before the session."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from navtwin.errors import InputRefused, nearest


def sound(
    voice: Annotated[str, typer.Option(metavar="NAME", help="one voice in all three priorities (default: all voices)")] = "",
    case: Annotated[Path | None, typer.Option(help="say which structure of this case has which voice")] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE.wav", help="write the sounds to a file instead of playing them")] = None,
) -> None:
    """Play every alarm sound once, so that you know your loudspeakers and the voices before you begin."""
    import numpy as np

    from navtwin.sound.check import Player, programme, with_silence, write_wav
    from navtwin.sound.device import Speaker
    from navtwin.sound.pulses import RATE_HZ
    from navtwin.sound.voices import TECHNICAL, VOICES

    if voice and voice not in VOICES:
        raise InputRefused(f"there is no voice '{voice}'", nearest(voice, VOICES))
    if out is not None and out.suffix.lower() != ".wav":
        raise InputRefused(f"{out} is not the name of a .wav file", "pass --out FILE.wav")
    if case is not None:
        for name, of_structure in _voices(case):
            typer.echo(f"{name}: {of_structure}")
    signals = list(programme(VOICES.get(voice)))
    words = [f"{priority:<6}  {one.name}{' (technical alarms)' if one is TECHNICAL else ''}" for priority, one in signals]
    played = [with_silence(*signal) for signal in signals]
    if out is not None:
        write_wav(out, np.concatenate(played))
        for line, begin in zip(words, np.cumsum([0, *(samples.size for samples in played)]), strict=False):
            typer.echo(f"{begin / RATE_HZ:5.1f} s  {line}")
        return
    with Player(Speaker) as player:
        for line, samples in zip(words, played, strict=True):
            typer.echo(line)
            player.play(samples)
    typer.echo("if you heard nothing, check the loudspeaker's switch and the system's volume")


def _voices(case: Path) -> list[tuple[str, str]]:
    """(critical structure, its voice) of a case."""
    from navtwin.scene.case import read_case_file
    from navtwin.sound.voices import voices_for

    critical = frozenset(structure.name for structure in read_case_file(case).structure if structure.role == "critical")
    return sorted((name, voice.name) for name, voice in voices_for(critical).items())
