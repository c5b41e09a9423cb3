"""Both poses of every visible marker, and how well each suits all the others: where the solver starts.

Collins and Bartoli, "Infinitesimal plane-based pose estimation" (IPPE), IJCV 2014;109:252: the homography's first-order behaviour at one
point of the plane fixes the plane's rotation up to one reflection. The homography of four corners is Heckbert's (1989): through the unit square.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from navtwin.jit import compiled

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

#: Misfit in pixels from which a marker counts as not explained by a start.
NOT_EXPLAINED_PX = 4.0


@compiled
def _from_unit_square(quad: Array, out: Array) -> None:
    """Homography (3, 3) that takes (0,0) (1,0) (1,1) (0,1) to the four corners."""
    sx, sy = quad[0, 0] - quad[1, 0] + quad[2, 0] - quad[3, 0], quad[0, 1] - quad[1, 1] + quad[2, 1] - quad[3, 1]
    ax, ay = quad[1, 0] - quad[2, 0], quad[1, 1] - quad[2, 1]
    bx, by = quad[3, 0] - quad[2, 0], quad[3, 1] - quad[2, 1]
    cross = ax * by - bx * ay
    g, h = (sx * by - bx * sy) / cross, (ax * sy - sx * ay) / cross
    for i in range(2):
        out[i, 0] = quad[1, i] - quad[0, i] + g * quad[1, i]
        out[i, 1] = quad[3, i] - quad[0, i] + h * quad[3, i]
        out[i, 2] = quad[0, i]
    out[2, 0], out[2, 1], out[2, 2] = g, h, 1.0


@compiled
def _plane(corners: Array, frame: Array, flat: Array) -> None:
    """Axes of a marker's plane (columns of `frame`: along its top, across, normal) and its corners in them, about their middle."""
    middle = (corners[0] + corners[1] + corners[2] + corners[3]) / 4.0
    along, down = corners[1] + corners[2] - corners[0] - corners[3], corners[2] + corners[3] - corners[0] - corners[1]
    along = along / np.sqrt((along**2).sum())
    normal = np.array((along[1] * down[2] - along[2] * down[1], along[2] * down[0] - along[0] * down[2], along[0] * down[1] - along[1] * down[0]))
    normal = normal / np.sqrt((normal**2).sum())
    across = np.array(
        (normal[1] * along[2] - normal[2] * along[1], normal[2] * along[0] - normal[0] * along[2], normal[0] * along[1] - normal[1] * along[0])
    )
    frame[:, 0], frame[:, 1], frame[:, 2] = along, across, normal
    for k in range(4):
        d = corners[k] - middle
        flat[k, 0], flat[k, 1] = (d * along).sum(), (d * across).sum()


@compiled
def _two_rotations(h: Array, one: Array, other: Array) -> None:
    """Both rotations of the plane whose homography is `h`, scaled to h[2, 2] = 1 (Collins and Bartoli, section 4)."""
    p, q = h[0, 2], h[1, 2]
    j = np.empty((2, 2))
    j[0, 0], j[0, 1] = h[0, 0] - p * h[2, 0], h[0, 1] - p * h[2, 1]
    j[1, 0], j[1, 1] = h[1, 0] - q * h[2, 0], h[1, 1] - q * h[2, 1]
    # Rotation that takes the optical axis to the ray through the plane's origin.
    s = np.sqrt(p * p + q * q + 1.0)
    c = 1.0 / (s * (s + 1.0))
    turn = np.empty((3, 3))
    turn[0, 0], turn[0, 1], turn[0, 2] = 1.0 - p * p * c, -p * q * c, p / s
    turn[1, 0], turn[1, 1], turn[1, 2] = -p * q * c, 1.0 - q * q * c, q / s
    turn[2, 0], turn[2, 1], turn[2, 2] = -p / s, -q / s, 1.0 / s
    b00, b01 = turn[0, 0] - p * turn[2, 0], turn[0, 1] - p * turn[2, 1]
    b10, b11 = turn[1, 0] - q * turn[2, 0], turn[1, 1] - q * turn[2, 1]
    d = b00 * b11 - b01 * b10
    a = np.empty((2, 2))
    for k in range(2):
        a[0, k] = (b11 * j[0, k] - b01 * j[1, k]) / d
        a[1, k] = (b00 * j[1, k] - b10 * j[0, k]) / d
    e, f, g = a[0, 0] ** 2 + a[0, 1] ** 2, a[0, 0] * a[1, 0] + a[0, 1] * a[1, 1], a[1, 0] ** 2 + a[1, 1] ** 2
    scale = np.sqrt(0.5 * (e + g + np.sqrt((e - g) ** 2 + 4.0 * f * f)))
    u, v = a[:, 0] / scale, a[:, 1] / scale
    third_u, third_v = np.sqrt(max(0.0, 1.0 - (u**2).sum())), np.sqrt(max(0.0, 1.0 - (v**2).sum()))
    if (u * v).sum() > 0.0:
        third_v = -third_v
    for k in range(2):
        out, sign = (one, 1.0) if k == 0 else (other, -1.0)
        x = np.array((u[0], u[1], sign * third_u))
        y = np.array((v[0], v[1], sign * third_v))
        z = np.array((x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0]))
        for row in range(3):
            for column in range(3):
                axis = x if column == 0 else y if column == 1 else z
                out[row, column] = turn[row, 0] * axis[0] + turn[row, 1] * axis[1] + turn[row, 2] * axis[2]


@compiled
def _shift(rotation: Array, corners: Array, rays: Array, t: Array) -> bool:
    """Least-squares translation of a marker with a known rotation; False if there is none in front of the camera."""
    n, m = np.zeros((3, 3)), np.zeros(3)
    for k in range(4):
        x, y = rays[k]
        for i in range(3):
            t[i] = rotation[i, 0] * corners[k, 0] + rotation[i, 1] * corners[k, 1] + rotation[i, 2] * corners[k, 2]
        for c, r in ((0, t[2] * x - t[0]), (1, t[2] * y - t[1])):
            g = x if c == 0 else y
            n[c, c] += 1.0
            n[c, 2] -= g
            n[2, 2] += g * g
            m[c] += r
            m[2] -= g * r
    down = n[2, 2] - n[0, 2] ** 2 / n[0, 0] - n[1, 2] ** 2 / n[1, 1]
    t[2] = (m[2] - n[0, 2] * m[0] / n[0, 0] - n[1, 2] * m[1] / n[1, 1]) / down
    t[0], t[1] = (m[0] - n[0, 2] * t[2]) / n[0, 0], (m[1] - n[1, 2] * t[2]) / n[1, 1]
    nearest = np.inf
    for k in range(4):
        nearest = min(nearest, t[2] + rotation[2, 0] * corners[k, 0] + rotation[2, 1] * corners[k, 1] + rotation[2, 2] * corners[k, 2])
    return nearest > 0.0


@compiled
def _to_tracker(stand: Array, rotation: Array, t_mm: Array) -> None:
    """A pose in the axes of a camera becomes one in the tracker's."""
    r, t = rotation.copy(), t_mm - stand[:, 3]
    for i in range(3):
        for k in range(3):
            rotation[i, k] = stand[0, i] * r[0, k] + stand[1, i] * r[1, k] + stand[2, i] * r[2, k]
        t_mm[i] = stand[0, i] * t[0] + stand[1, i] * t[1] + stand[2, i] * t[2]


@compiled
def both_poses(corners_mm: Array, rays: Array, view: Index, stands: Array) -> tuple[Array, Array]:
    """Both poses of each marker by itself.

    Parameters
    ----------
    corners_mm : (M, 4, 3) in body axes
    rays : (M, 4, 2) x and y of the rays (x, y, 1) to the corners
    view : (M,) which camera saw the marker
    stands : (V, 3, 4) camera from tracker

    Returns
    -------
    rotations : (2M, 3, 3), tracker from body; NaN where the corners make no pose
    t_mm : (2M, 3)
    """
    rotations, t_mm = np.full((2 * len(rays), 3, 3), np.nan), np.full((2 * len(rays), 3), np.nan)
    frame, flat, to_image, to_plane, h = np.empty((3, 3)), np.empty((4, 2)), np.empty((3, 3)), np.empty((3, 3)), np.empty((3, 3))
    pair = np.empty((2, 3, 3))
    for m in range(len(rays)):
        _plane(corners_mm[m], frame, flat)
        _from_unit_square(rays[m], to_image)
        _from_unit_square(flat, to_plane)
        p = to_plane
        back = np.empty((3, 3))  # the adjugate: the inverse, but for a scale that falls out
        for i in range(3):
            for k in range(3):
                i1, i2, k1, k2 = (i + 1) % 3, (i + 2) % 3, (k + 1) % 3, (k + 2) % 3
                back[k, i] = p[i1, k1] * p[i2, k2] - p[i1, k2] * p[i2, k1]
        for i in range(3):
            for k in range(3):
                h[i, k] = to_image[i, 0] * back[0, k] + to_image[i, 1] * back[1, k] + to_image[i, 2] * back[2, k]
        h /= h[2, 2]
        _two_rotations(h, pair[0], pair[1])
        for k in range(2):
            row = 2 * m + k
            for i in range(3):
                for c in range(3):
                    rotations[row, i, c] = pair[k, i, 0] * frame[c, 0] + pair[k, i, 1] * frame[c, 1] + pair[k, i, 2] * frame[c, 2]
            if not _shift(rotations[row], corners_mm[m], rays[m], t_mm[row]):
                rotations[row], t_mm[row] = np.nan, np.nan
            _to_tracker(stands[view[m]], rotations[row], t_mm[row])
    return rotations, t_mm


@compiled
def disagreement(rotations: Array, t_mm: Array, corners_mm: Array, rays: Array, slopes: Array, view: Index, stands: Array) -> Array:
    """How badly each pose suits all markers: the sum of log(1 + mean square misfit / `NOT_EXPLAINED_PX`^2), in which one wrong marker counts little.

    Parameters
    ----------
    rotations, t_mm : (S, 3, 3) and (S, 3), tracker from body
    corners_mm, rays, slopes : (M, 4, 3), (M, 4, 2), (M, 4, 2, 2)
    view : (M,) which camera saw the marker
    stands : (V, 3, 4) camera from tracker

    Returns
    -------
    (S,), infinite where a marker would be behind its camera or show it its back
    """
    found = np.empty(len(rotations))
    a, x = np.empty(3), np.empty((4, 3))
    for s in range(len(rotations)):
        r, t, total = rotations[s], t_mm[s], 0.0
        for m in range(len(rays)):
            c, squares, front = stands[view[m]], 0.0, True
            for k in range(4):
                for i in range(3):
                    a[i] = r[i, 0] * corners_mm[m, k, 0] + r[i, 1] * corners_mm[m, k, 1] + r[i, 2] * corners_mm[m, k, 2] + t[i]
                for i in range(3):
                    x[k, i] = c[i, 0] * a[0] + c[i, 1] * a[1] + c[i, 2] * a[2] + c[i, 3]
                if not x[k, 2] > 0.0:
                    front = False
                    break
                dx, dy = rays[m, k, 0] - x[k, 0] / x[k, 2], rays[m, k, 1] - x[k, 1] / x[k, 2]
                du, dv = slopes[m, k, 0, 0] * dx + slopes[m, k, 0, 1] * dy, slopes[m, k, 1, 0] * dx + slopes[m, k, 1, 1] * dy
                squares += du * du + dv * dv
            total += np.log(1.0 + squares / 4.0 / NOT_EXPLAINED_PX**2) if front else np.inf
        found[s] = np.inf if np.isnan(total) else total
    return found


@compiled
def apart(rotations: Array, score: Array, most: int, angle_rad: float) -> Index:
    """Indices of the best poses, up to `most`, each turned by more than `angle_rad` from the better ones; poses of infinite score are left out."""
    picked, count = np.empty(most, np.int64), 0
    chord2 = 8.0 * np.sin(angle_rad / 2.0) ** 2
    for i in np.argsort(score):
        if count == most or not score[i] < np.inf:
            break
        new = True
        for k in range(count):
            new = new and ((rotations[i] - rotations[picked[k]]) ** 2).sum() > chord2
        if new:
            picked[count] = i
            count += 1
    return picked[:count]


@compiled
def mirror_image(rotation: Array, t_mm: Array, corners_mm: Array, use: Mask, stand: Array) -> tuple[Array, Array]:
    """A pose mirrored at the body's flattest plane and then at the plane across the line of sight: what looks like it from afar.

    Parameters
    ----------
    rotation, t_mm : tracker from body
    corners_mm, use : (M, 4, 3), and (M,) which of the markers are looked at
    stand : (3, 4) camera from tracker
    """
    middle, scatter, count = np.zeros(3), np.zeros((3, 3)), 0
    for m in range(len(corners_mm)):
        if use[m]:
            count += 4
            for k in range(4):
                middle += corners_mm[m, k]
    middle /= count
    for m in range(len(corners_mm)):
        if use[m]:
            for k in range(4):
                for i in range(3):
                    for j in range(3):
                        scatter[i, j] += (corners_mm[m, k, i] - middle[i]) * (corners_mm[m, k, j] - middle[j])
    normal = _least_axis(scatter)
    along, place = np.empty(3), np.empty(3)
    for i in range(3):
        place[i] = t_mm[i] + (rotation[i] * middle).sum()
    for i in range(3):  # from the camera, which stands at -R' t
        along[i] = place[i] + (stand[:, i] * stand[:, 3]).sum()
    along /= np.sqrt((along**2).sum())
    found, shift = np.empty((3, 3)), np.empty(3)
    for i in range(3):
        for j in range(3):
            found[i, j] = rotation[i, j] - 2.0 * normal[j] * (rotation[i] * normal).sum()
    sights = np.array(((found[:, 0] * along).sum(), (found[:, 1] * along).sum(), (found[:, 2] * along).sum()))
    for i in range(3):
        for j in range(3):
            found[i, j] -= 2.0 * along[i] * sights[j]
        shift[i] = place[i] - (found[i] * middle).sum()
    return found, shift


@compiled
def _least_axis(scatter: Array) -> Array:
    """Unit vector along which a (3, 3) scatter is least: powers of its adjugate, whose largest axis that is."""
    c = scatter + 1e-9 * (scatter[0, 0] + scatter[1, 1] + scatter[2, 2]) * np.eye(3)
    a, squared = np.empty((3, 3)), np.empty((3, 3))
    for i in range(3):
        for k in range(3):
            i1, i2, k1, k2 = (i + 1) % 3, (i + 2) % 3, (k + 1) % 3, (k + 2) % 3
            a[i, k] = c[i1, k1] * c[i2, k2] - c[i1, k2] * c[i2, k1]
    for _ in range(6):
        a /= a[0, 0] + a[1, 1] + a[2, 2]
        for i in range(3):
            for k in range(3):
                squared[i, k] = a[i, 0] * a[0, k] + a[i, 1] * a[1, k] + a[i, 2] * a[2, k]
        a[:] = squared
    largest = 0
    for k in range(1, 3):
        if a[k, k] > a[largest, largest]:
            largest = k
    axis: Array = a[:, largest] / np.sqrt((a[:, largest] ** 2).sum())
    return axis
