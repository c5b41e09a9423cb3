"""The anatomy and the plans of a case as actors of a plotter, drawn as the case says or as a draft has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gui.case.cutting import Look
from gui.register.bead import Mark
from gui.register.beads import Beads
from navtwin.nouns import Part
from navtwin.rigid import Vec3
from navtwin.scene import looks, palette
from navtwin.scene.detail import Detail, draw_structure, triangle_shares
from navtwin.scene.model import Landmark, Plan, Scene, Structure
from navtwin.scene.solids import capsule_mesh
from navtwin.volumes.volume import VolumeBox

if TYPE_CHECKING:
    import pyvista as pv

CURSOR_RADIUS_MM = 1.4
#: The path itself, its ends, and how clearly the width that is drilled is seen around it.
AXIS_RADIUS_MM, END_RADIUS_MM, WIDTH_OPACITY = 0.4, 1.3, 0.3
#: A plan that is not the chosen one.
ASIDE_OPACITY = 0.45


@dataclass(frozen=True)
class Prepared:
    """A structure ready to be drawn, and to be met by rays.

    Attributes
    ----------
    volume_ml : None where its surface is not closed
    """

    structure: Structure
    mesh: Any
    volume_ml: float | None

    @property
    def bounds_mm(self) -> tuple[Any, Any]:
        """Lowest and highest corner, (3,) each, ct: of what is drawn, which is near enough to look at."""
        x0, x1, y0, y1, z0, z1 = self.mesh.bounds
        return np.array((x0, y0, z0)), np.array((x1, y1, z1))


def prepare(scene: Scene, detail: Detail, kept: Mapping[str, Prepared]) -> dict[str, Prepared]:
    """The meshes of a case at a level of detail. May run beside the window: it touches no plotter.

    Parameters
    ----------
    kept : what was prepared before; of a surface that is the same nothing is done again
    """
    shares = triangle_shares(scene, detail)
    ready = {}
    for s in scene.structures:
        old = kept.get(s.name)
        if old is not None and np.array_equal(old.structure.surface.vertices_mm, s.surface.vertices_mm):
            # Its tree is planted already.
            ready[s.name] = Prepared(replace(s, surface=old.structure.surface), old.mesh, old.volume_ml)
            continue
        mesh = draw_structure(s, detail, shares[s.name]).mesh
        # Trees and kernels are made where nobody waits for them.
        s.surface.first_hit([(0.0, 0.0, 0.0)], [(0.0, 0.0, 1.0)])
        ready[s.name] = Prepared(s, mesh, s.surface.volume_mm3 / 1000.0 if s.surface.is_watertight else None)
    return ready


class CasePicture:
    """What a plotter shows of a case. Renders nothing by itself.

    Parameters
    ----------
    plotter : lit already; this adds and removes actors of its own only

    Attributes
    ----------
    beads : the landmarks
    """

    def __init__(self, plotter: pv.Plotter) -> None:
        import pyvista as pv

        self._plotter = plotter
        self._prepared: dict[str, Prepared] = {}
        self._drawn: dict[str, tuple[Structure, bool]] = {}
        self._actors: dict[str, list[Any]] = {}
        self._plans: list[Any] = []
        self.beads = Beads(plotter)
        self._box: Any = None
        self._cursor = looks.add_mesh(plotter, pv.Sphere(radius=CURSOR_RADIUS_MM), palette.TEXT, ambient=0.7)
        self._cursor.SetVisibility(False)

    def set_case(self, prepared: Mapping[str, Prepared], box: VolumeBox | None) -> None:
        """Other structures; they are drawn by the next `show`."""
        for name in list(self._actors):
            if name not in prepared or prepared[name].mesh is not self._prepared[name].mesh:
                self._take_out(name)
        self._prepared = dict(prepared)
        self._show_box(None if prepared else box)

    def show(self, drawn: Mapping[str, Look], *, solid_bone: bool) -> None:
        """Draw the structures as `drawn` says. `solid_bone`: what may be cut is opaque, else it is seen through."""
        wanted: dict[str, tuple[Structure, bool]] = {}
        for name, prepared in self._prepared.items():
            look = drawn.get(name)
            if look is None:
                continue
            as_looked = replace(prepared.structure, color=look.color, opacity=look.opacity, role=look.role)
            wanted[name] = (as_looked, looks.is_solid(as_looked) or (solid_bone and look.role == "work" and not looks.is_veil(as_looked)))
        changed = {name for name, how in wanted.items() if not _same(self._drawn.get(name), how)}
        if any(wanted[name][1] for name in changed):
            # What is inside a shell has to be drawn before the shell's depth is.
            changed |= {name for name, (_, solid) in wanted.items() if not solid}
        for name in sorted(changed, key=lambda n: (not wanted[n][1], looks.is_veil(wanted[n][0]))):
            self._take_out(name)
            structure, solid = wanted[name]
            add = looks.add_solid if solid else looks.add_shell
            self._actors[name] = add(self._plotter, self._prepared[name].mesh, structure)
        for name, look in drawn.items():
            for actor in self._actors.get(name, ()):
                actor.SetVisibility(look.visible)
        self._drawn = wanted

    def show_plans(self, plans: Sequence[Plan], chosen: str) -> None:
        """The planned paths, the chosen one as wide as it is drilled."""
        for actor in self._plans:
            self._plotter.remove_actor(actor, render=False, reset_camera=False)
        self._plans = []
        for plan in plans:
            faint = {} if plan.name == chosen else {"opacity": ASIDE_OPACITY}
            same = plan.entry_mm == plan.target_mm
            parts = [Part(name="entry", from_mm=plan.entry_mm, to_mm=plan.entry_mm, radius_mm=END_RADIUS_MM)]
            parts += [] if same else [Part(name="axis", from_mm=plan.entry_mm, to_mm=plan.target_mm, radius_mm=AXIS_RADIUS_MM)]
            self._plans += [looks.add_mesh(self._plotter, capsule_mesh(part), palette.PLAN, ambient=0.5, **faint) for part in parts]
            if plan.name == chosen and plan.diameter_mm > 0.0:
                width = Part(name="width", from_mm=plan.entry_mm, to_mm=plan.target_mm, radius_mm=plan.diameter_mm / 2.0)
                self._plans.append(looks.add_mesh(self._plotter, capsule_mesh(width), palette.PLAN, ambient=0.3, opacity=WIDTH_OPACITY))

    def show_landmarks(self, landmarks: Sequence[Landmark], chosen: str) -> None:
        """The landmarks with their numbers; the chosen one, "" for none, stands out."""
        marks = enumerate(landmarks, start=1)
        self.beads.show([Mark(n, mark.position_mm, "next" if mark.name == chosen else "todo", True, False) for n, mark in marks])

    def show_cursor(self, point_mm: Vec3 | None) -> None:
        """A bead where the slices cross; None takes it away."""
        self._cursor.SetVisibility(point_mm is not None)
        if point_mm is not None:
            self._cursor.SetPosition(*point_mm)

    def reachable(self, drawn: Mapping[str, Look]) -> list[Structure]:
        """The structures that a click may meet: those that are seen."""
        return [p.structure for name, p in self._prepared.items() if name in drawn and drawn[name].visible and name in self._actors]

    def bounds_mm(self, drawn: Mapping[str, Look]) -> tuple[Any, Any] | None:
        """Lowest and highest corner of what is seen; None if that is nothing."""
        seen = [self._prepared[s.name].bounds_mm for s in self.reachable(drawn)]
        return (np.min([b[0] for b in seen], axis=0), np.max([b[1] for b in seen], axis=0)) if seen else None

    def _take_out(self, name: str) -> None:
        for actor in self._actors.pop(name, ()):
            self._plotter.remove_actor(actor, render=False, reset_camera=False)
        self._drawn.pop(name, None)

    def _show_box(self, box: VolumeBox | None) -> None:
        """The edges of the scan, where there is nothing else to see of the patient."""
        import pyvista as pv

        if self._box is not None:
            self._plotter.remove_actor(self._box, render=False, reset_camera=False)
            self._box = None
        if box is not None:
            (x0, y0, z0), (x1, y1, z1) = box.bounds_mm()
            edges = pv.Box((x0, x1, y0, y1, z0, z1)).extract_all_edges()
            self._box = self._plotter.add_mesh(edges, color=palette.UNKNOWN, line_width=1.0, reset_camera=False, render=False, pickable=False)


def _same(one: tuple[Structure, bool] | None, other: tuple[Structure, bool]) -> bool:
    return one is not None and one[1] == other[1] and (one[0].color, one[0].opacity, one[0].role) == (
        other[0].color, other[0].opacity, other[0].role,
    )  # fmt: skip
