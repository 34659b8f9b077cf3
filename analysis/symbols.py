"""Symbols in the words of a file, S_p, l_2, beta, sigma_1, ||x||, set as mathematics: for matplotlib and
for pages."""

import html
import re

GREEK = {"alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "eta": "η", "theta": "θ",
         "lambda": "λ", "mu": "μ", "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "φ"}
SYMBOL = re.compile(
    rf"(?<![\w$\\])({'|'.join(GREEK)}|[A-Za-z]{{1,2}})(?:_(\d+|[a-zA-Z]))?(?:\^(\d+|[a-zA-Z]))?(?![\w^])")
LONE = re.compile(r"\b([pqL])(?= = )")
NORM = re.compile(r"\|\|(?:\^(\w+))?")


def is_symbol(name, below, above):
    """Whether a match is one, not a short word."""
    return name in GREEK or below is not None or above is not None


def tex(text):
    """For matplotlib, dollar signs of the text escaped."""

    def symbol(match):
        name, below, above = match.groups()
        if not is_symbol(*match.groups()):
            return match[0]
        if name in GREEK:
            name = "\\" + name
        elif name == "l":
            name = r"\ell"
        elif len(name) > 1:
            name = rf"\mathrm{{{name}}}"
        return "$" + name + (f"_{{{below}}}" if below else "") + (f"^{{{above}}}" if above else "") + "$"

    text = SYMBOL.sub(symbol, text.replace("$", r"\$"))
    text = NORM.sub(lambda m: rf"$\Vert^{m[1]}$" if m[1] else r"$\Vert$", text)
    return LONE.sub(r"$\1$", text)


def page(text):
    """For a page, what HTML reserves escaped."""

    def symbol(match):
        name, below, above = match.groups()
        if not is_symbol(*match.groups()):
            return match[0]
        name = GREEK.get(name, "ℓ" if name == "l" else name)
        name = f"<i>{name}</i>" if len(name) == 1 else name
        return name + (f"<sub>{below}</sub>" if below else "") + (f"<sup>{above}</sup>" if above else "")

    text = SYMBOL.sub(symbol, html.escape(text))
    text = NORM.sub(lambda m: f"‖<sup>{m[1]}</sup>" if m[1] else "‖", text)
    return LONE.sub(r"<i>\1</i>", text)

