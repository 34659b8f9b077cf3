"""How far colours are apart, for eyes of several kinds, and how well they stand out."""

import numpy as np
from matplotlib.colors import to_rgb

# What eyes without one kind of cone make of linear RGB (Machado, Oliveira and Fernandes 2009).
EYES = {
    "all cones": np.eye(3),
    "no green": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                          [-0.011820, 0.042940, 0.968881]]),
    "no red": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                        [-0.003882, -0.048116, 1.051998]]),
}
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colour):
    """Linear RGB of a colour of matplotlib's."""
    c = np.array(to_rgb(colour))
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def lab(colour, eye):
    """CIE L*a*b* of a colour as an eye sees it."""
    f = np.cbrt(XYZ @ np.clip(EYES[eye] @ linear(colour), 0, 1) / [0.9505, 1, 1.089])
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def apart(a, b, eye="all cones"):
    """Distance in L*a*b*; beside each other, 2 can be told apart."""
    return np.linalg.norm(lab(a, eye) - lab(b, eye))


def contrast(a, b):
    """WCAG's contrast ratio, from 1 to 21."""
    low, high = sorted([linear(a) @ XYZ[1], linear(b) @ XYZ[1]])
    return (high + 0.05) / (low + 0.05)
