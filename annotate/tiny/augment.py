"""Pictures as a detector will meet them: mirrored, and as blurred, noisy and off in colour as a drawn picture is."""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from annotate.tiny.data import Pictures
from manifests.body import OTHER_SIDE


def augment(pictures: Pictures, rng: np.random.Generator) -> Pictures:
    """Mirror half of them, degrade all of them a little; truth follows."""
    mirrored = rng.random(len(pictures)) < 0.5
    turned = mirror(pictures)
    chosen = replace(
        pictures,
        images=np.where(mirrored[:, None, None, None], turned.images, pictures.images),
        depth=np.where(mirrored[:, None, None], turned.depth, pictures.depth),
        classes=np.where(mirrored[:, None, None], turned.classes, pictures.classes),
        people=np.where(mirrored[:, None, None, None], turned.people, pictures.people),
    )
    return replace(chosen, images=np.stack([degrade(image, rng) for image in chosen.images]))


def mirror(pictures: Pictures) -> Pictures:
    """Left and right changed over, also in the names of joints."""
    people = pictures.people[:, :, list(OTHER_SIDE)].copy()
    width = pictures.images.shape[2]
    people[..., 0] = np.where(people[..., 2] > 0, width - 1 - people[..., 0], 0)
    return Pictures(pictures.images[:, :, ::-1], pictures.depth[..., ::-1], pictures.classes[..., ::-1], people)


def degrade(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Blur, noise, JPEG, and other light: [H, W, 3] uint8 to the same."""
    contrast, light = rng.uniform(0.85, 1.15), rng.uniform(-15, 15, size=3) * rng.uniform(0, 1)
    pixels = (image.astype(np.float32) - 128) * contrast + 128 + light.astype(np.float32)
    if rng.random() < 0.4:
        pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.4, 1.3)), np.float32)
    if rng.random() < 0.4:
        pixels = pixels + rng.normal(0, rng.uniform(1, 8), pixels.shape).astype(np.float32)
    degraded = np.rint(np.clip(pixels, 0, 255)).astype(np.uint8)
    if rng.random() < 0.2:
        _, encoded = cv2.imencode(".jpg", degraded, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(40, 95))])
        degraded = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)
    return degraded
