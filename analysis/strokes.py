#!/usr/bin/env python3
"""Write a few hundred drawn ones and fives as IDX files, in the place of MNIST where it is absent.

Each digit is its strokes, moved, turned, sheared and thickened at random, 28 x 28 pixels.
"""

import argparse
import os
import struct

from modules import need

need("numpy")

import numpy as np  # noqa: E402

from plancherel_io import main_guard, make_folder, write_together  # noqa: E402

# Corners of the strokes in a unit square, (x, y), y downwards.
STROKES = {
    1: [(0.35, 0.25), (0.52, 0.1), (0.52, 0.9)],
    5: [(0.75, 0.1), (0.35, 0.1), (0.32, 0.48), (0.55, 0.42), (0.72, 0.52), (0.75, 0.7),
        (0.62, 0.87), (0.4, 0.9), (0.28, 0.82)],
}


def draw(digit, rng, side):
    corners = np.array(STROKES[digit]) - 0.5
    turn, shear = rng.normal(0, 0.12), rng.normal(0, 0.15)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    matrix = matrix @ [[1, shear], [0, 1]] * rng.uniform(0.6, 0.8)
    corners = corners @ matrix.T + 0.5 + rng.normal(0, 0.03, 2)
    corners += rng.normal(0, 0.015, corners.shape)
    y, x = (np.mgrid[:side, :side] + 0.5) / side
    point = np.stack([x, y], axis=-1)
    distance = np.full((side, side), np.inf)
    for a, b in zip(corners, corners[1:]):
        t = np.clip((point - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1)
        distance = np.minimum(distance, np.linalg.norm(point - a - t[..., None] * (b - a), axis=-1))
    width = rng.uniform(0.035, 0.055)
    return np.round(255 * np.clip(1.5 - distance / width, 0, 1)).astype(np.uint8)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", help="where the two files go")
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--side", type=int, default=28)
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    labels = bytes([1, 5] * (args.count // 2))
    images = np.array([draw(d, rng, args.side) for d in labels])
    make_folder(args.folder)
    write_together({
        os.path.join(args.folder, "train-images-idx3-ubyte"):
            struct.pack(">4i", 0x803, *images.shape) + images.tobytes(),
        os.path.join(args.folder, "train-labels-idx1-ubyte"):
            struct.pack(">2i", 0x801, len(labels)) + labels})


if __name__ == "__main__":
    main_guard(main)
