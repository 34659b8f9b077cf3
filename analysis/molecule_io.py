"""Molecules of other formats, on the way into the laboratory's own (src/nets/points/README.md): the
readers of convert.py xyz and qm7, and what writes."""

import gzip

import numpy as np

from plancherel_io import InputError, new_netcdf

SYMBOLS = """H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se
Br Kr Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er
Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No
Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og""".split()
NUMBER = {s: z + 1 for z, s in enumerate(SYMBOLS)}
QM9 = "A B C mu alpha homo lumo gap r2 zpve U0 U H G Cv".split()
AFTER = 3  # lines of QM9 behind the atoms: frequencies, SMILES, InChI


class Molecules:
    def __init__(self):
        self.number, self.position, self.sizes, self.target = [], [], [], []
        self.names = None  # of the properties

    def add(self, atoms, target):
        number, position = zip(*atoms)
        self.number += number
        self.position += position
        self.sizes.append(len(atoms))
        self.target.append(target)


def value(text, where):
    """A number; QM9 writes 1.5*^-6 for 1.5e-6."""
    try:
        x = float(text.replace("*^", "e"))
    except ValueError:
        raise InputError(f"{where}: {text!r} is no number") from None
    if not np.isfinite(x):
        raise InputError(f"{where}: {text} is not finite")
    return x


def number_of(symbol, where):
    if symbol in NUMBER:
        return NUMBER[symbol]
    if symbol.isdigit() and 1 <= int(symbol) <= len(SYMBOLS):
        return int(symbol)
    raise InputError(f"{where}: {symbol!r} is no element")


def lines_of(path):
    with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8") as file:
        return file.read().splitlines()


def atom(line, where):
    words = line.split()
    if len(words) < 4:
        raise InputError(f"{where}: expected an element and three coordinates, not {line!r}")
    return number_of(words[0], where), [value(word, where) for word in words[1:4]]


def block(path, lines, at, count):
    """`count` atoms from line number `at` on."""
    if at + count > len(lines):
        raise InputError(f"{path}: ends before atom {len(lines) - at} of a molecule of {count}")
    return [atom(lines[i], f"{path}:{i + 1}") for i in range(at, at + count)]


def numbers(words):
    out = []
    for word in words:
        try:
            out.append(float(word.replace("*^", "e")))
        except ValueError:
            pass
    return out


def xyz(args):
    """Blocks of a count, a comment and so many atoms; the numbers of the comment are properties.  A
    comment "gdb ..." is QM9's: its number, then 15 properties, and three lines behind the atoms."""
    out = Molecules()
    for path in [args.file, *args.more]:
        lines, at = lines_of(path), 0
        while at < len(lines):
            if not lines[at].strip():
                at += 1
                continue
            where = f"{path}:{at + 1}"
            if not lines[at].split()[0].isdigit() or int(lines[at].split()[0]) < 1:
                raise InputError(f"{where}: expected the number of atoms, not {lines[at]!r}")
            count = int(lines[at].split()[0])
            comment = lines[at + 1].split() if at + 1 < len(lines) else []
            qm9 = bool(comment) and comment[0] == "gdb"
            target = [value(w, f"{path}:{at + 2}") for w in comment[2:]] if qm9 else numbers(comment)
            if qm9 and len(target) != len(QM9):
                raise InputError(f"{path}:{at + 2}: {len(target)} properties, expected those of "
                                 f"QM9, {' '.join(QM9)}")
            out.names = QM9 if qm9 else out.names
            out.add(block(path, lines, at + 2, count), target)
            at += 2 + count + (AFTER if qm9 else 0)
    return out


def qm7(args):
    """Lines "m NAME ATOMS PBE0 DFTB", then the atoms: QM7 as text."""
    out, lines, at = Molecules(), lines_of(args.file), 0
    out.names = ["PBE0", "DFTB"]
    while at < len(lines):
        words, where = lines[at].split(), f"{args.file}:{at + 1}"
        at += 1
        if not words or words[0] == "#":
            continue
        if words[0] != "m" or len(words) != 5 or not words[2].isdigit() or int(words[2]) < 1:
            raise InputError(f"{where}: expected m NAME ATOMS PBE0 DFTB")
        out.add(block(args.file, lines, at, int(words[2])), [value(w, where) for w in words[3:]])
        at += int(words[2])
    return out


def write(path, molecules, history):
    """Whole or not at all; the columns of target are the properties.  Returns their names."""
    if not molecules.sizes:
        raise InputError("no molecules")
    widths = {len(t) for t in molecules.target}
    if len(widths) > 1:
        raise InputError(f"molecules of {min(widths)} and of {max(widths)} properties")
    names = molecules.names or [str(k) for k in range(widths.pop())]
    with new_netcdf(path) as nc:
        fill(nc, molecules, names)
        nc.Conventions, nc.history = "CF-1.10", history
    return names


def fill(nc, molecules, names):
    def put(name, kind, dims, values, long_name, units="1", **attributes):
        var = nc.createVariable(name, kind, dims, fill_value=False)
        var.setncatts({"long_name": long_name, "units": units, **attributes})
        var[:] = values

    nc.createDimension("molecule", len(molecules.sizes))
    nc.createDimension("molecule_start", len(molecules.sizes) + 1)
    nc.createDimension("atom", len(molecules.number))
    nc.createDimension("axis", 3)
    put("molecule_start", "i8", ("molecule_start",),
        np.concatenate([[0], np.cumsum(molecules.sizes)]),
        "number of the first atom of each molecule, and of all atoms")
    put("position", "f8", ("atom", "axis"), molecules.position, "positions of atoms", "angstrom")
    put("number", "i4", ("atom",), molecules.number, "number of the element")
    if names:
        nc.createDimension("property", len(names))
        put("target", "f8", ("molecule", "property"), molecules.target, "properties, as in the file",
            properties=" ".join(names))
