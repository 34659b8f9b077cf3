"""Trajectories of several runs as one: all on the same steps, medians and bands over them."""

import numpy as np

BAND = (16, 84)  # percentiles


def trajectory_samples(step, y):
    """All steps of some runs, and y[run, step]: interpolated between a run's records (its last one
    can lie off the schedule), NaN after its end."""
    there = np.isfinite(step)
    grid = np.unique(step[there])
    samples = np.full((len(step), len(grid)), np.nan)
    for row, s, v, ok in zip(samples, step, y, there):
        if ok.any():
            row[:] = np.interp(np.log1p(grid), np.log1p(s[ok]), v[ok], left=np.nan, right=np.nan)
    return grid, samples


def band(samples):
    """(where at least half of the runs are there, median, low, high at those places) of
    samples[run, x]."""
    enough = np.isfinite(samples).sum(axis=0) * 2 >= len(samples)
    inside = samples[:, enough]
    if not enough.any():
        return enough, *np.empty((3, 0))
    return enough, *np.nanpercentile(inside, [50, *BAND], axis=0)


def wants_log(values):
    """Whether all values are positive and span two decades."""
    values = values[np.isfinite(values)]
    return bool(len(values) and values.min() > 0 and values.max() > 100 * values.min())
