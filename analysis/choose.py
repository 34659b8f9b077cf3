"""Which runs a picture shows, which of them make a line and a panel, and what is said about the rest."""

from collections import Counter

import numpy as np

import plancherel_io as pio

MAX_PANELS = 12  # of a picture
# Of how far a run is from the optimum: at depth 2, at every depth.
CERTIFICATES = [("optimality_gap", "optimality gap"), ("kkt_residual", "KKT residual")]


def where(ds, conditions):
    """Runs for which every KEY=VALUE holds."""
    runs = list(range(ds.sizes["run"]))
    for condition in conditions:
        key, equals, value = condition.partition("=")
        if not equals:
            raise pio.InputError(f"--where {condition}: expected KEY=VALUE")
        key = key.replace(".", "_")
        pio.require(ds, key, ("run",))
        values = pio.column(ds, key)
        runs = [r for r in runs if matches(values[r], value)]
    if not runs:
        raise pio.InputError(f"no run has {', '.join(conditions)}")
    return runs


def matches(value, text):
    """Whether a run's value is the one written as `text`."""
    if isinstance(value, str):
        return value == text
    try:
        return value == float(text)
    except ValueError:
        return False


def runs_of(ds, args):
    """(runs to draw, runs asked for by --run or --where, a note on those that are left out)."""
    if args.run is not None:
        if not 0 <= args.run < ds.sizes["run"]:
            raise pio.InputError(f"--run {args.run}: the file has runs 0..{ds.sizes['run'] - 1}")
        asked = [args.run]
    else:
        asked = where(ds, args.where)
    sound, why = pio.sound_runs(ds, args.all)
    if args.run is not None and pio.last_records(ds)[args.run] >= 0:
        # Asked for by number: shown however it ended.
        return asked, asked, "" if sound[args.run] else f"run {args.run}: {why[args.run]}"
    drawn = [r for r in asked if sound[r]]
    left = Counter(why[r] for r in asked if not sound[r])
    note = ", ".join(f"{n} {s}" for s, n in left.items())
    if not drawn:
        raise pio.InputError(f"no run to draw (left out: {note}; --all draws those that do not "
                             "classify, too)")
    return drawn, asked, note and f"left out: {note}, of {len(asked)} runs"


def hue_and_facets(ds, args, runs, y=None):
    """(hue, facet keys): the swept keys that vary among runs, without those that another one implies
    (a key zipped with it).  The depth is no hue of a measure y that means something else at each
    depth, unless it is asked for."""
    keys = [k for k in pio.swept_keys(ds) if len(pio.combinations(ds, [k], runs)) > 1]
    hue = args.hue and args.hue.replace(".", "_")
    if hue is None:
        if y is not None and "model_depth" in keys and depends_on_depth(ds[y]):
            free = without(ds, keys, "model_depth", runs)
            hue = pio.default_hue(ds, free)
            return hue, ["model_depth", *without(ds, free, hue, runs)]
        hue = pio.default_hue(ds, keys)
    else:
        pio.require(ds, hue, ("run",))
    return hue, without(ds, keys, hue, runs)


def without(ds, keys, key, runs):
    """The keys less those whose values one key (or None) tells."""
    if key is None:
        return keys
    values = len(pio.combinations(ds, [key], runs))
    return [k for k in keys if len(pio.combinations(ds, [key, k], runs)) > values]


def depends_on_depth(var):
    """Whether a measure means something else at each depth, as its long_name says: S_p at p = 2/depth,
    or a power of the depth."""
    text = var.attrs.get("long_name", "")
    told = any(word in text for word in ("S_p", "l_p", "2/depth", "^ depth"))
    return told and not text.startswith("relative")


def same_scale(choice, ds, y, facets):
    """Whether panels share their y axis: as --share-y says or, unless it does, where values at
    different depths can be compared."""
    if choice != "auto":
        return choice == "yes"
    return not ("model_depth" in facets and depends_on_depth(ds[y]))


def entries_of(ds, axis, run):
    """[(index, text)] along a further axis of a variable, of what `run` has."""
    texts = names_along(ds, axis)
    indices = pio.irreps_of(ds, run) if axis == "irrep" else np.arange(ds.sizes[axis])
    return [(int(i), texts[i]) for i in indices]


def names_along(ds, axis):
    """The texts of the entries of a dimension: its labels or names, its coordinate, or numbers."""
    for name in (f"{axis}_label", f"{axis}_name", axis):
        if name in ds.variables:
            return [pio.number(v) for v in pio.column(ds, name)]
    return [str(i) for i in range(ds.sizes[axis])]


def owner_of(ds, axis):
    """(dimension, index there of each entry) of what the entries of an axis belong to, the matrices of
    singular values; (None, None) where they belong to nothing."""
    for var in ds.variables.values():
        if var.dims == (axis,) and "instance_dimension" in var.attrs:
            return var.attrs["instance_dimension"], var.values.astype(int)
    return None, None


def seeds_text(counts):
    """What lines and bands are, from how many runs each line has."""
    least, most = min(counts), max(counts)
    if most == 1:
        return "one seed"
    seeds = f"{most} seeds" if least == most else f"{least} to {most} seeds"
    return f"lines: medians over {seeds}, bands: their 16th to 84th percentile"


def note_of(*parts):
    """The footnote, of what there is to say."""
    return "; ".join(p for p in parts if p)
