"""The error budget painted on the case: where a distance is well known and where it is not, in all and by each source."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from navtwin.files.write import whole_file
from navtwin.kernels.errorbar import ErrorSources
from navtwin.scene import looks, palette
from navtwin.scene.caption import NOT_A_DEVICE
from navtwin.scene.detail import draw_level
from navtwin.scene.error_budget import SOURCES, Budget, Variances, at_points, camera_variance
from navtwin.scene.model import Scene
from navtwin.scene.picture import open_plotter
from navtwin.scene.views import VIEW_ANGLE_DEG, standpoint

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Error bars span so many standard deviations (the fold's k).
BAR_SD: Final = 2.0
#: One band of colour is so wide, mm, and the last one begins at the other. The same for every case: a colour always means the same error.
STEP_MM: Final = 0.25
MOST_MM: Final = 3.0
#: Dark to light as the error grows, told apart by every kind of colour vision and in grey (van der Walt and Smith, SciPy 2015; CC0).
_COLORS: Final = "viridis"
#: Critical structures lie behind one another: they are seen from so far to the patient's left of his back.
_AZIMUTH_DEG: Final = 35.0
_INCHES, _DPI = (13.0, 9.2), 110
_LARGE, _SMALL = (690, 560), (330, 270)
#: Matt: a highlight would look like another band.
_MATT: Final = {"ambient": 0.62, "diffuse": 0.42, "specular": 0.0}
_LINE, _MOST_NOTES = 190, 5


@dataclass(frozen=True)
class Painted:
    """A structure's mesh, and at each of its vertices the variance by source, mm^2."""

    mesh: Any
    role: str
    variances: Variances


def budget_png(
    scene: Scene, sources: ErrorSources, tool: int, focal_share: float | None, budgets: Sequence[Budget], title: str, notes: Sequence[str], to: Path
) -> None:
    """Write the picture: total error on the bone and on what is critical, small panels by source, and the rows of the table as bars.

    Parameters
    ----------
    sources, tool : what is uncertain, and the number of the tool whose tip is brought to each point
    focal_share : of the camera, None where it is not stated
    budgets : rows whose shares are drawn as bars
    notes : what was assumed, below the picture

    Raises
    ------
    InputRefused : `to` cannot be written
    """
    from matplotlib.figure import Figure

    painted = paint(scene, sources, tool, focal_share)
    named = [name for name in SOURCES if all(name in p.variances for p in painted)]
    figure = Figure(figsize=_INCHES, dpi=_DPI, facecolor=palette.BACKGROUND)
    large = figure.add_gridspec(1, 3, left=0.015, right=0.985, top=0.925, bottom=0.475, wspace=0.03, width_ratios=(1.0, 1.0, 0.52))
    small = figure.add_gridspec(1, len(named), left=0.015, right=0.985, top=0.395, bottom=0.205, wspace=0.04)
    for cell, role, words in ((large[0, 0], "work", "bone"), (large[0, 1], "critical", "critical structures")):
        shown = [p for p in painted if p.role == role]
        _panel(figure.add_subplot(cell), shown, scene, list(named), f"all sources, {words}", _LARGE)
    _bars(figure.add_subplot(large[0, 2]), budgets)
    for n, name in enumerate(named):
        words = "\n".join(textwrap.wrap(SOURCES[name], 26))
        _panel(figure.add_subplot(small[0, n]), [p for p in painted if p.role == "critical"], scene, [name], words, _SMALL)
    _legend(figure)
    figure.text(0.015, 0.985, f"{scene.name}   {title}", color=palette.TEXT, fontsize=12, va="top")
    below = [*notes[:_MOST_NOTES], *([f"and {len(notes) - _MOST_NOTES} more"] if len(notes) > _MOST_NOTES else [])]
    words = " · ".join(text for text in (*below, scene.citation, NOT_A_DEVICE) if text)
    figure.text(0.5, 0.008, textwrap.fill(words, _LINE), color=palette.DIM, fontsize=7, ha="center", va="bottom")
    with whole_file(to) as partial:
        figure.savefig(partial, format="png", facecolor=palette.BACKGROUND)


def paint(scene: Scene, sources: ErrorSources, tool: int, focal_share: float | None) -> list[Painted]:
    """Bone and critical structures with the variance by source at each vertex of their pictures."""
    drawn = draw_level(scene, "light")
    painted = []
    for structure in scene.structures:
        if structure.role not in ("work", "critical"):
            continue
        mesh = drawn[structure.name].mesh
        points, normals = _places(mesh)
        variances = at_points(points, normals, structure.sd_mm, tool, sources)
        if focal_share is not None:
            variances["camera"] = camera_variance(points, normals, focal_share, sources)
        painted.append(Painted(mesh, structure.role, variances))
    return painted


def _places(mesh: Any) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """(V, 3) vertices and unit normals; a vertex without a normal is looked at from behind the patient."""
    points, normals = np.asarray(mesh.points, dtype=np.float64), np.asarray(mesh.point_normals, dtype=np.float64)
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    return points, np.where(length > 0.5, normals / np.maximum(length, 1e-12), np.array((0.0, 1.0, 0.0)))


def _panel(axes: Axes, painted: Sequence[Painted], scene: Scene, named: Sequence[str], words: str, size: tuple[int, int]) -> None:
    axes.set(xticks=[], yticks=[], facecolor=palette.BACKGROUND)
    for side in axes.spines.values():
        side.set_color(palette.EDGE)
    axes.set_title(words, color=palette.TEXT, fontsize=10 if size == _LARGE else 8, loc="left")
    if not painted:
        axes.text(0.5, 0.5, "none", transform=axes.transAxes, color=palette.DIM, ha="center")
        return
    axes.imshow(_pixels(painted, scene, named, size))


def _pixels(painted: Sequence[Painted], scene: Scene, named: Sequence[str], size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    import pyvista as pv

    plotter = open_plotter(size)
    try:
        plotter.background_color = pv.Color(palette.BACKGROUND)
        looks.light(plotter)
        for one in painted:
            mesh = one.mesh.copy(deep=False)
            bar_mm = BAR_SD * np.sqrt(sum(one.variances[name] for name in named))
            mesh.point_data["error"] = bar_mm
            _add_banded(plotter, mesh)
        for plan in scene.plans:
            looks.add_plan(plotter, plan)
        stand = standpoint("posterior", scene, None)
        assert stand is not None, "only a view that follows a tip can be nowhere"
        plotter.camera.view_angle = VIEW_ANGLE_DEG
        plotter.camera.position, plotter.camera.focal_point, plotter.camera.up = stand.position_mm, stand.focus_mm, stand.up
        if all(one.role == "critical" for one in painted):
            plotter.camera.Azimuth(_AZIMUTH_DEG)
        plotter.renderer.reset_camera_clipping_range()
        plotter.enable_anti_aliasing("ssaa")
        plotter.render()
        return np.asarray(plotter.screenshot(None, return_img=True), dtype=np.uint8)[:, :, :3]
    finally:
        plotter.close()


def _add_banded(plotter: Any, mesh: Any) -> None:
    import pyvista as pv

    bands = (0.0, MOST_MM + STEP_MM)
    table = pv.LookupTable(_COLORS, n_values=round(bands[1] / STEP_MM), scalar_range=bands)
    # The colour is looked up at each pixel: edges between bands are lines, not blends.
    plotter.add_mesh(
        mesh, scalars="error", cmap=table, clim=bands, interpolate_before_map=True, smooth_shading=True, show_scalar_bar=False, reset_camera=False,
        render=False, **_MATT,
    )  # fmt: skip


def _bars(axes: Axes, budgets: Sequence[Budget]) -> None:
    """Each row's allowance as one bar, cut by source; the latency's part is hatched, for it is no chance."""
    axes.set(facecolor=palette.BACKGROUND)
    axes.set_title("allowance, mm", color=palette.TEXT, fontsize=10, loc="left")
    names = [share.source for share in budgets[0].shares] if budgets else []
    colors = _source_colors(names)
    left = np.zeros(len(budgets))
    for name in names:
        mm = np.array([next((s.allowance_mm for s in b.shares if s.source == name), 0.0) for b in budgets])
        chance = name in SOURCES
        axes.barh(
            range(len(budgets)),
            mm,
            left=left,
            color=colors[name],
            height=0.45,
            label=name,
            hatch=None if chance else "///",
            edgecolor=palette.BACKGROUND,
        )
        left += mm
    for row, budget in enumerate(budgets):
        axes.text(0.0, row - 0.29, f"{budget.structure}, {budget.where}", color=palette.TEXT, fontsize=6.5, va="bottom")
        axes.text(left[row], row, f" {budget.allowance_mm:.2f}", color=palette.TEXT, fontsize=8, va="center")
    axes.set(yticks=[], ylim=(len(budgets) * 1.3 + 0.4, -0.8), xlim=(0.0, max(1e-3, float(left.max(initial=0.0))) * 1.25))
    axes.tick_params(colors=palette.DIM, labelsize=7)
    for side in axes.spines.values():
        side.set_color(palette.EDGE)
    axes.legend(loc="lower center", ncols=3, fontsize=6.5, labelcolor=palette.TEXT, frameon=False, handlelength=1.2)


def _source_colors(names: Sequence[str]) -> Mapping[str, str]:
    """Colours that every kind of colour vision tells apart (Okabe and Ito, Color Universal Design, 2008), one a source."""
    told = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7", "#999999")
    return dict(zip(names, told, strict=False))


def _legend(figure: Figure) -> None:
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import BoundaryNorm

    edges = np.arange(0.0, MOST_MM + 1.5 * STEP_MM, STEP_MM)
    axes = figure.add_axes((0.2, 0.115, 0.6, 0.022))
    colors = colormaps[_COLORS].resampled(len(edges) - 1)
    bar = figure.colorbar(ScalarMappable(BoundaryNorm(edges, colors.N), colors), cax=axes, orientation="horizontal", ticks=edges[::2])
    bar.ax.set_xticklabels([f"{mm:g}" if mm < MOST_MM else f"over {mm:g}" for mm in edges[::2]])
    bar.ax.tick_params(colors=palette.TEXT, labelsize=8)
    words = f"error bar of a distance, mm ({BAR_SD:g} standard deviations, latency x speed left out), with the tool's tip at that point"
    bar.ax.set_title(words, color=palette.TEXT, fontsize=9)
