"""Many seeded registrations of one kind, as plain arrays: what was observed at the targets, what was predicted, and the FRE beside it."""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import track

from benchmarks.accuracy_parts.trials import Array, Case, registered

#: Standard deviations to either side that hold 95 % of a normal variable.
Z95 = 1.959963984540054


@dataclass(frozen=True)
class Study:
    """K registrations of one kind, judged at T targets.

    Attributes
    ----------
    error_mm : (K, T, 3) of the targets
    predicted_mm : (K, T) RMS
    interval_mm : (K, T, 2) that the registration tells with its prediction
    fre_mm : (K,)
    accepted : (K,) by the gate
    spent_s : (K,)
    """

    case: Case
    error_mm: Array
    predicted_mm: Array
    interval_mm: Array
    fre_mm: Array
    accepted: npt.NDArray[np.bool_]
    spent_s: Array

    @property
    def tre_mm(self) -> Array:
        """(K, T) observed."""
        return np.asarray(np.linalg.norm(self.error_mm, axis=2))

    @property
    def observed_rms_mm(self) -> Array:
        """(T,)"""
        return np.asarray(np.sqrt(np.square(self.tre_mm).mean(axis=0)))

    @property
    def predicted_rms_mm(self) -> Array:
        """(T,)"""
        return np.asarray(np.sqrt(np.square(self.predicted_mm).mean(axis=0)))

    @property
    def ratio(self) -> Array:
        """(T,) RMS predicted over RMS observed: 1 is honest, more is cautious, less is boastful."""
        return np.asarray(self.predicted_rms_mm / self.observed_rms_mm)

    @property
    def ratio_sd(self) -> Array:
        """(T,) standard deviation of `ratio` by chance alone, of so many trials (delta method on the mean square)."""
        square = np.square(self.tre_mm)
        return np.asarray(0.5 * self.ratio * square.std(axis=0) / square.mean(axis=0) / np.sqrt(len(square)))

    @property
    def coverage(self) -> Array:
        """(T,) share of the registrations whose own interval holds the RMS error that was observed over all of them."""
        low, high = self.interval_mm[..., 0], self.interval_mm[..., 1]
        return np.asarray(((low <= self.observed_rms_mm) & (self.observed_rms_mm <= high)).mean(axis=0))

    def fre_correlation(self, target: int) -> tuple[float, float, float]:
        """Pearson's r of FRE and TRE over the trials, and its 95 % interval (Fisher's z, Biometrika 1915;10:507)."""
        r = float(np.corrcoef(self.fre_mm, self.tre_mm[:, target])[0, 1])
        half = Z95 / np.sqrt(len(self.fre_mm) - 3.0)
        return r, float(np.tanh(np.arctanh(r) - half)), float(np.tanh(np.arctanh(r) + half))

    def worst_where_fre_is_small(self, target: int) -> float:
        """The largest TRE among the tenth of the registrations with the smallest FRE, mm."""
        tenth = np.argsort(self.fre_mm, kind="stable")[: max(1, len(self.fre_mm) // 10)]
        return float(self.tre_mm[tenth, target].max())


@dataclass(frozen=True)
class Trial:
    """One registration of a study."""

    error_mm: Array
    predicted_mm: Array
    interval_mm: Array
    fre_mm: float
    accepted: bool
    spent_s: float


def one_trial(case: Case, seed: int) -> Trial:
    """Register once, with the seed's errors, and look at the targets."""
    begun = time.perf_counter()
    error, targets, found = registered(case, seed)
    spent = time.perf_counter() - begun
    return Trial(error, found.tre_mm(targets), found.tre_interval_mm(targets), found.fre_mm, found.accepted, spent)


def study(case: Case, count: int, *, jobs: int = 1, quiet: bool = False) -> Study:
    """`count` registrations, seeds 0, 1 ..."""
    asked = track(range(count), description=case.name, disable=quiet, transient=True, console=Console(stderr=True))
    if jobs > 1:
        with ProcessPoolExecutor(jobs) as pool:
            trials = [found for found, _ in zip(pool.map(one_trial, [case] * count, range(count), chunksize=8), asked, strict=True)]
    else:
        trials = [one_trial(case, seed) for seed in asked]
    columns = {name: np.array([getattr(t, name) for t in trials]) for name in Trial.__dataclass_fields__}
    return Study(case=case, **columns)
