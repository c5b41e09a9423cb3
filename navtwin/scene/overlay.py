"""Anatomy and structures laid over each other, to be looked at before a case is trusted: three planes of the scan with outlines, and the surfaces."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from navtwin.errors import InputRefused, nearest
from navtwin.files.write import whole_file
from navtwin.rigid import Vec3
from navtwin.scene import palette
from navtwin.scene.caption import NOT_A_DEVICE
from navtwin.scene.model import Scene
from navtwin.scene.slices import EDGES, PLANES, Plane, in_plane, outline, slice_of
from navtwin.volumes.volume import Volume

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Radiology's usual windows: (centre, width) in HU.
WINDOWS: Final = {"soft": (50.0, 400.0), "bone": (500.0, 2000.0), "lung": (-600.0, 1500.0)}
_INCHES, _DPI = (12.0, 11.0), 110
_MOST_NAMES, _LINE = 24, 190


def overlay_png(scene: Scene, volume: Volume, to: Path, *, at_mm: Vec3 | None = None, window: str = "soft") -> Vec3:
    """Write the picture; returns the point of ct that its planes go through.

    Raises
    ------
    InputRefused : unknown window; a point outside the scan; `to` cannot be written
    """
    from matplotlib.figure import Figure

    if window not in (*WINDOWS, "full"):
        raise InputRefused(f"there is no window '{window}'", nearest(window, (*WINDOWS, "full")))
    at = at_mm or point_of_interest(scene, volume)
    if not volume.box.contains(at):
        raise InputRefused(f"the point {at[0]:g} {at[1]:g} {at[2]:g} is not in the scan", "pass a point in ct, mm (LPS)")
    figure = Figure(figsize=_INCHES, dpi=_DPI, facecolor=palette.BACKGROUND)
    grid = figure.add_gridspec(2, 2, left=0.02, right=0.98, top=0.94, bottom=0.1, wspace=0.04, hspace=0.08)
    for plane, cell in zip(PLANES, (grid[0, 0], grid[0, 1], grid[1, 0]), strict=True):
        _draw_plane(figure.add_subplot(cell), scene, volume, plane, at, window)
    _draw_surfaces(figure.add_subplot(grid[1, 1]), scene)
    _draw_names(figure, scene)
    figure.text(0.02, 0.98, f"{scene.name}   through {at[0]:.1f} {at[1]:.1f} {at[2]:.1f} mm (LPS)", color=palette.TEXT, fontsize=12, va="top")
    provenance = textwrap.fill(" · ".join(words for words in (scene.citation, NOT_A_DEVICE) if words), _LINE)
    figure.text(0.5, 0.008, provenance, color=palette.DIM, fontsize=7, ha="center", va="bottom")
    with whole_file(to) as partial:
        figure.savefig(partial, format="png", facecolor=palette.BACKGROUND)
    return at


def point_of_interest(scene: Scene, volume: Volume) -> Vec3:
    """Where the planes go if nobody says: a plan's target, else the middle of the critical structures, of all of them, or of the scan."""
    if scene.plans:
        return scene.plans[0].target_mm
    shown = [s for s in scene.structures if s.role == "critical"] or list(scene.structures)
    if shown:
        low = np.min([s.surface.vertices_mm.min(axis=0) for s in shown], axis=0)
        high = np.max([s.surface.vertices_mm.max(axis=0) for s in shown], axis=0)
        middle = (low + high) / 2.0
        x, y, z = (float(v) for v in middle)
        if volume.box.contains((x, y, z)):
            return (x, y, z)
    centre = volume.T_ct_from_ijk @ np.append((np.array(volume.shape_ijk) - 1.0) / 2.0, 1.0)
    return (float(centre[0]), float(centre[1]), float(centre[2]))


def _draw_plane(axes: Axes, scene: Scene, volume: Volume, plane: Plane, at: Vec3, window: str) -> None:
    from matplotlib.collections import LineCollection

    cut = slice_of(volume, plane, at)
    finite = cut.hu[np.isfinite(cut.hu)]
    centre, width = WINDOWS.get(window, (0.0, 0.0))
    span = (centre - width / 2, centre + width / 2) if width else (float(finite.min()), float(finite.max()))
    axes.imshow(cut.hu, cmap="gray", vmin=span[0], vmax=span[1], extent=cut.extent_mm, interpolation="bilinear")
    for structure in scene.structures:
        pieces = outline(structure.surface.vertices_mm, structure.surface.faces, plane, at)
        axes.add_collection(LineCollection(list(pieces), colors=structure.color, linewidths=1.3))
    x, y = in_plane(at, plane)
    axes.axvline(float(x), color=palette.DIM, linewidth=0.5, alpha=0.6)
    axes.axhline(float(y), color=palette.DIM, linewidth=0.5, alpha=0.6)
    left, right, bottom, top = cut.extent_mm
    axes.set(xlim=(left, right), ylim=(bottom, top), xticks=[], yticks=[], facecolor="black")
    axes.set_title(f"{plane}  {cut.position_mm:.1f} mm", color=palette.TEXT, fontsize=10, loc="left")
    for letter, where in zip(EDGES[plane], ((0.01, 0.5), (0.99, 0.5), (0.5, 0.01), (0.5, 0.99)), strict=True):
        sides: dict[str, Any] = {"ha": ("left", "center", "right")[round(where[0] * 2)], "va": ("bottom", "center", "top")[round(where[1] * 2)]}
        axes.text(*where, letter, transform=axes.transAxes, color=palette.TEXT, fontsize=11, **sides)


def _draw_surfaces(axes: Axes, scene: Scene) -> None:
    from navtwin.scene.picture import Picture, open_plotter, picture_pixels

    axes.set(xticks=[], yticks=[], facecolor=palette.BACKGROUND)
    axes.set_title("surfaces, from behind", color=palette.TEXT, fontsize=10, loc="left")
    if not scene.structures:
        axes.text(0.5, 0.5, "no structures", transform=axes.transAxes, color=palette.DIM, ha="center")
        return
    plotter = open_plotter((760, 660))
    try:
        axes.imshow(picture_pixels(Picture(plotter, scene, None), None, None, "posterior"))
    finally:
        plotter.close()


def _draw_names(figure: Any, scene: Scene) -> None:
    from matplotlib.lines import Line2D

    shown = scene.structures[:_MOST_NAMES]
    if not shown:
        return
    handles = [Line2D([], [], color=s.color, linewidth=3, label=s.name) for s in shown]
    if len(scene.structures) > len(shown):
        handles.append(Line2D([], [], linewidth=0, label=f"and {len(scene.structures) - len(shown)} more"))
    figure.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, 0.035), ncols=8, fontsize=7, labelcolor=palette.TEXT, frameon=False)
