"""Omniglot's folders of drawings (Alphabet/characterNN/*.png, 105 x 105 pixels) as IDX files of images
of 28 x 28 pixels and of labels, a class for each character."""

import gzip
import os
import struct
from pathlib import Path

import numpy as np

from graph_io import tell
from modules import need
from plancherel_io import InputError, unreadable, write_together

SIDE = 28


def shrink(image, side=SIDE):
    """Means over side x side equal squares, which cut pixels."""
    def weights(n):
        edges = np.linspace(0, n, side + 1)
        pixel = np.arange(n)
        inside = np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel)
        return np.clip(inside, 0, None) * side / n
    return weights(image.shape[0]) @ image @ weights(image.shape[1]).T


def read_drawing(path):
    """Ink from 0 to 255."""
    need("matplotlib")
    from matplotlib.image import imread

    try:
        image = imread(path)
    except (OSError, SyntaxError) as error:  # the latter of what is no picture
        raise unreadable(path, error, "no picture") from None
    grey = image if image.ndim == 2 else image[..., :3].mean(-1)
    if min(grey.shape) < SIDE:
        raise InputError(f"{path}: {grey.shape[0]} x {grey.shape[1]} pixels, expected {SIDE} x "
                         f"{SIDE} or more")
    return np.round(255 * (1 - shrink(np.asarray(grey, dtype=float)))).astype(np.uint8)


def subfolders(folder):
    return sorted(p for p in Path(folder).iterdir() if p.is_dir())


def find_characters(folder, test):
    """(alphabet, character, drawings), those of the alphabets in test behind the others."""
    alphabets = {p.name: p for p in subfolders(folder)}
    unknown = [name for name in test if name not in alphabets]
    if unknown:
        raise InputError(f"{folder}: no alphabet {unknown[0]}; there are {', '.join(alphabets)}")
    names = [name for name in alphabets if name not in test] + test
    found = [(name, p.name, sorted(p.glob("*.png"))) for name in names
             for p in subfolders(alphabets[name])]
    if not found or not all(drawings for *_, drawings in found):
        raise InputError(f"{folder}: expected folders ALPHABET/CHARACTER of drawings, *.png")
    return found


def convert(args):
    test = args.test.split(",") if args.test else []
    if len(set(test)) < len(test):
        raise InputError("--test: an alphabet stands twice")
    characters = find_characters(args.file, test)
    images = np.array([read_drawing(path) for *_, drawings in characters for path in drawings])
    labels = np.repeat(np.arange(len(characters)), [len(drawings) for *_, drawings in characters])
    outputs = [f"{args.output}-{end}" for end in ("images-idx3-ubyte.gz", "labels-idx1-short.gz",
                                                  "classes.txt")]
    for path in outputs:
        if os.path.exists(path) and not args.overwrite:
            raise InputError(f"{path} exists already; use --overwrite to replace it")
    lines = [f"{k} {alphabet} {character} {len(drawings)}\n"
             for k, (alphabet, character, drawings) in enumerate(characters)]
    contents = [
        gzip.compress(struct.pack(">iiii", 0x803, *images.shape) + images.tobytes(), mtime=0),
        gzip.compress(struct.pack(">ii", 0xb01, len(labels)) + labels.astype(">i2").tobytes(), mtime=0),
        "".join(["# class alphabet character images\n", *lines]).encode()]
    write_together(dict(zip(outputs, contents)))
    train = sum(alphabet not in test for alphabet, *_ in characters)
    tell(f"{outputs[0]}: {len(images)} images of {len(characters)} characters"
         + (f"; data.train_classes: {train}" if test else ""))
