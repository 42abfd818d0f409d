"""Ray casting of solids by closed formulas: the playroom's renderer, exact to the pixel.

The camera stands at the origin and looks along +z; a ray is (u, v, 1), so the distance along it *is* the depth z.
x points right, y up; lengths in metres, floats are float64.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Hit = tuple[Array, Array]  # depth [h, w] (inf where missed), outward normal [h, w, 3]


@dataclass(frozen=True)
class View:
    """The window of rays that a picture sees, in tangents of the view angles."""

    left: float = -0.45
    right: float = 0.45
    top: float = 0.30
    bottom: float = -0.60

    def rays(self, side: int) -> Array:
        """Rays through the centres of side x side pixels: [side, side, 3]."""
        steps = (np.arange(side) + 0.5) / side
        u = self.left + (self.right - self.left) * steps
        v = self.top + (self.bottom - self.top) * steps
        grid_u, grid_v = np.meshgrid(u, v)
        return np.stack([grid_u, grid_v, np.ones_like(grid_u)], axis=-1)

    def project(self, points: Array, side: int) -> Array:
        """Points [N, 3] in front of the camera to pixels [N, 2] (x, y); a pixel's centre is at .5."""
        tangents = points[:, :2] / points[:, 2:]
        x = (tangents[:, 0] - self.left) / (self.right - self.left) * side
        y = (tangents[:, 1] - self.top) / (self.bottom - self.top) * side
        return np.stack([x, y], axis=-1)


@dataclass(frozen=True)
class Solid:
    """One convex solid: how rays meet it, and a ball around it that bounds the search."""

    meet: Callable[[Array], Hit]
    centre: Array
    radius: float


def window(solid: Solid, rays: Array) -> tuple[slice, slice]:
    """The rows and columns of rays that can meet a solid, from the ball around it."""
    near = max(solid.centre[2] - solid.radius, 0.2)
    far = solid.centre[2] + solid.radius
    spans = []
    for axis, tangents in ((1, rays[:, 0, 1]), (0, rays[0, :, 0])):
        low, high = solid.centre[axis] - solid.radius, solid.centre[axis] + solid.radius
        inside = (tangents >= min(low / near, low / far)) & (tangents <= max(high / near, high / far))
        found = np.flatnonzero(inside)
        spans.append(slice(found[0], found[-1] + 1) if found.size else slice(0, 0))
    return spans[0], spans[1]


def ball(centre: Array, radius: float) -> Solid:
    """A sphere."""

    def meet(rays: Array) -> Hit:
        depth = _nearest_root(_dot(rays, rays), -rays @ centre, centre @ centre - radius**2)
        return depth, _unit(_points(rays, depth) - centre)

    return Solid(meet, centre, radius)


def box(centre: Array, half: Array, yaw: float) -> Solid:
    """A box of half sizes `half`, turned by `yaw` radians about the vertical."""
    turn = _about_vertical(yaw)

    def meet(rays: Array) -> Hit:
        local, origin = rays @ turn, -centre @ turn
        safe = np.where(np.abs(local) < 1e-9, 1e-9, local)
        first, second = (-half - origin) / safe, (half - origin) / safe
        near, far = np.minimum(first, second), np.maximum(first, second)
        depth = near.max(axis=-1)
        depth = np.where((depth <= far.min(axis=-1)) & (depth > 0), depth, np.inf)
        axis = near.argmax(axis=-1)
        normal = -np.sign(np.take_along_axis(safe, axis[..., None], -1)) * np.eye(3)[axis]
        return depth, normal @ turn.T

    return Solid(meet, centre, float(np.linalg.norm(half)))


def cone(base: Array, radius: float, height: float) -> Solid:
    """A cone that stands on `base` (its underside is never seen from above)."""
    apex, slope = base + np.array([0.0, height, 0.0]), (radius / height) ** 2
    weights = np.array([1.0, -slope, 1.0])

    def meet(rays: Array) -> Hit:
        depth = _nearest_root(_dot(rays * weights, rays), -(rays * weights) @ apex, (apex * weights) @ apex)
        points = _points(rays, depth)
        below = apex[1] - points[..., 1]
        depth = np.where((below >= 0) & (below <= height), depth, np.inf)
        return depth, _unit((points - apex) * weights)

    return Solid(meet, base + np.array([0.0, height / 2, 0.0]), float(np.hypot(height / 2, radius)))


def capsule(start: Array, end: Array, radius: float) -> Solid:
    """A cylinder between two points with round ends: a limb."""
    axis = end - start
    length = axis @ axis

    def meet(rays: Array) -> Hit:
        along_ray, along_origin = rays @ axis, -start @ axis
        a = length * _dot(rays, rays) - along_ray**2
        b = length * (-rays @ start) - along_origin * along_ray
        c = length * (start @ start) - along_origin**2 - radius**2 * length
        depth = _nearest_root(a, b, c)
        share = (along_origin + np.where(np.isfinite(depth), depth, 0.0) * along_ray) / length
        depth = np.where((share > 0) & (share < 1), depth, np.inf)
        for tip in (start, end):
            depth = np.minimum(depth, _nearest_root(_dot(rays, rays), -rays @ tip, tip @ tip - radius**2))
        points = _points(rays, depth)
        share = np.clip((points - start) @ axis / length, 0.0, 1.0)
        return depth, _unit(points - start - share[..., None] * axis)

    return Solid(meet, (start + end) / 2, float(np.sqrt(length) / 2 + radius))


def _nearest_root(a: Array, half_b: Array, c: Array | float) -> Array:
    """Smaller positive root of a t^2 + 2 half_b t + c, inf where there is none."""
    discriminant = half_b**2 - a * c
    with np.errstate(invalid="ignore", divide="ignore"):
        root = (-half_b - np.sqrt(discriminant)) / a
    return np.where((discriminant >= 0) & (root > 0), root, np.inf)


def _points(rays: Array, depth: Array) -> Array:
    return np.asarray(rays * np.where(np.isfinite(depth), depth, 0.0)[..., None])


def _about_vertical(yaw: float) -> Array:
    cosine, sine = np.cos(yaw), np.sin(yaw)
    return np.array([[cosine, 0.0, -sine], [0.0, 1.0, 0.0], [sine, 0.0, cosine]])


def _dot(a: Array, b: Array) -> Array:
    return np.asarray((a * b).sum(axis=-1))


def _unit(vectors: Array) -> Array:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9))
