"""What Warp is asked for, in its own language: signed distances of points to a closed mesh.

Warp reads annotations as types, so they may not be postponed here.
"""

import warp as wp


@wp.kernel
def signed_by_normal(mesh: wp.uint64, places: wp.array(dtype=wp.vec3), answers: wp.array(dtype=float), far: float):  # type: ignore[valid-type]
    i = wp.tid()
    hit = wp.mesh_query_point_sign_normal(mesh, places[i], far)
    answers[i] = hit.sign * wp.length(places[i] - wp.mesh_eval_position(mesh, hit.face, hit.u, hit.v))


@wp.kernel
def signed_by_parity(mesh: wp.uint64, places: wp.array(dtype=wp.vec3), answers: wp.array(dtype=float), far: float):  # type: ignore[valid-type]
    i = wp.tid()
    hit = wp.mesh_query_point(mesh, places[i], far)
    answers[i] = hit.sign * wp.length(places[i] - wp.mesh_eval_position(mesh, hit.face, hit.u, hit.v))
