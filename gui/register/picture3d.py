"""Bone, landmarks and checks as actors of a plotter; the predicted error painted on the bone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gui.register.bead import Mark
from gui.register.beads import Beads
from navtwin.nouns import Check, Part, RegistrationResult
from navtwin.rigid import Vec3
from navtwin.scene import looks, palette, tre_map
from navtwin.scene.model import Scene, Structure
from navtwin.scene.solids import capsule_mesh, surface_mesh

if TYPE_CHECKING:
    import pyvista as pv

#: Radius of the rod from where a check should have been to where it was, and of the bead there, mm.
ROD_MM, BEAD_MM = 0.35, 0.9
#: Triangles that are drawn in all where the processor draws, and where a graphics card does; and of each structure at least.
MOST_TRIANGLES, MOST_BY_CARD, FEWEST_TRIANGLES = 60_000, 300_000, 2_000
#: Drawn with an error map the bone is matt: a highlight would look like another band.
MATT: dict[str, Any] = {"ambient": 0.35, "diffuse": 0.75, "specular": 0.0}


def prepare(scene: Scene, most_triangles: int) -> dict[str, Any]:
    """The meshes that are drawn of a case: what is touched and what is watched. May run beside the window."""
    drawn = [s for s in scene.structures if s.role in ("work", "critical")]
    weights = {s.name: len(s.surface.faces) ** 0.75 * (2.0 if s.role == "work" else 1.0) for s in drawn}
    total = sum(weights.values())
    shares = {name: max(FEWEST_TRIANGLES, int(most_triangles * weight / total)) for name, weight in weights.items()}
    return {s.name: surface_mesh(s.surface.vertices_mm, s.surface.faces, shares[s.name]) for s in drawn}


def painted(meshes: Mapping[str, Any], bones: Sequence[str], result: RegistrationResult) -> dict[str, Any]:
    """Copies of the bones' meshes with the predicted error at every vertex. May run beside the window."""
    made = {}
    for name in bones:
        made[name] = meshes[name].copy(deep=False)
        errors = tre_map.tre_mm(result.covariance, result.centroid_mm, np.asarray(meshes[name].points))
        made[name].point_data["error"] = tre_map.scale_position(errors)
    return made


class RegisterPicture:
    """What a plotter shows of a registration. Renders nothing by itself.

    Parameters
    ----------
    plotter : lit already; this adds and removes actors of its own only

    Attributes
    ----------
    beads : the landmarks
    """

    def __init__(self, plotter: pv.Plotter) -> None:
        self._plotter = plotter
        self.beads = Beads(plotter)
        self._solids: dict[str, list[Any]] = {}
        self._maps: list[Any] = []
        self._checks: tuple[Check, ...] = ()
        self._check_actors: list[Any] = []

    @property
    def has_map(self) -> bool:
        """Whether the predicted error is on the bone now."""
        return bool(self._maps)

    def set_case(self, meshes: Mapping[str, Any], structures: Sequence[Structure]) -> None:
        """Other anatomy; every mark of the one before is gone."""
        self.show_map(None)
        self.show_found((), ())
        self._take_out([actor for actors in self._solids.values() for actor in actors])
        self._solids = {s.name: looks.add_solid(self._plotter, meshes[s.name], s) for s in structures if s.name in meshes}

    def show_map(self, meshes: Mapping[str, Any] | None) -> None:
        """Paint the bone with the error of `painted` meshes; None shows it as it is."""
        self._take_out(self._maps)
        self._maps = [] if meshes is None else [self._banded(mesh) for mesh in meshes.values()]
        for name, actors in self._solids.items():
            for actor in actors:
                actor.SetVisibility(meshes is None or name not in meshes)

    def show_found(self, marks: Sequence[Mark], checks: Sequence[Check]) -> None:
        """Landmarks, and the newest checks."""
        self.beads.show(marks)
        self.show_checks(checks)

    def show_checks(self, checks: Sequence[Check]) -> None:
        """Where the newest checks were touched, with a rod from where they should have been."""
        if tuple(checks) == self._checks:
            return
        self._take_out(self._check_actors)
        self._checks, self._check_actors = tuple(checks), []
        for check in checks:
            color = palette.GOOD if check.good else palette.LEVEL_COLORS["DANGER" if check.failed else "CAUTION"]
            x, y, z = (p - v for p, v in zip(check.point_mm, check.vector_mm, strict=True))
            bead = Part(name="bead", from_mm=check.point_mm, to_mm=check.point_mm, radius_mm=BEAD_MM)
            rod = Part(name="rod", from_mm=(x, y, z), to_mm=check.point_mm, radius_mm=ROD_MM)
            self._check_actors += [looks.add_mesh(self._plotter, capsule_mesh(part), color, ambient=0.6) for part in (bead, rod)]

    def stand(self, focus_mm: Vec3, way: Vec3, up: Vec3, away_mm: float, angle_deg: float) -> None:
        """Look at a point from `away_mm` along a unit vector."""
        camera = self._plotter.camera
        camera.view_angle = angle_deg
        camera.focal_point = focus_mm
        camera.position = tuple(f + away_mm * w for f, w in zip(focus_mm, way, strict=True))
        camera.up = up
        self._plotter.renderer.reset_camera_clipping_range()

    def _take_out(self, actors: Sequence[Any]) -> None:
        for actor in actors:
            self._plotter.remove_actor(actor, render=False, reset_camera=False)

    def _banded(self, mesh: Any) -> Any:
        import pyvista as pv

        table = pv.LookupTable()
        table.values = np.array([[*pv.Color(c).int_rgb, 255] for c in tre_map.COLORS], dtype=np.uint8)
        bands = (0.0, float(len(tre_map.COLORS)))
        table.scalar_range = bands
        # The colour is looked up at each pixel: edges between bands are lines, not blends.
        return self._plotter.add_mesh(
            mesh, scalars="error", cmap=table, clim=bands, interpolate_before_map=True, smooth_shading=True, show_scalar_bar=False,
            reset_camera=False, render=False, pickable=False, **MATT,
        )  # fmt: skip
