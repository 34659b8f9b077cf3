"""How a report writes keys, values and numbers."""

import html

import plancherel_io as pio
import symbols


class PageWords:
    """What keys and values are called on a page (see draw.Words)."""

    def key(self, key):
        return symbols.page(pio.key_text(key))

    def value(self, _key, value):
        return symbols.page(pio.number(value))

    def entry(self, text):
        return html.escape(text)

    def combination(self, keys, values):
        """ "depth 3, lr 0.01", words without their key."""
        texts = [self.value(k, v) for k, v in zip(keys, values)]
        named = [isinstance(v, str) for v in values]
        return ", ".join(t if n else f"{self.key(k)} {t}" for k, t, n in zip(keys, texts, named))


def plain(text):
    """Words of a page without their tags, for attributes and titles inside pictures."""
    for tag in ("i", "sub", "sup"):
        text = text.replace(f"<{tag}>", "_" if tag == "sub" else "").replace(f"</{tag}>", "")
    return html.unescape(text)


def cell(text, sorts_by="", number=False, tag="td"):
    """A cell of a table; sorts_by: what its column is sorted by."""
    kind = ' class="n"' if number else ""
    return f'<{tag}{kind} data-v="{html.escape(str(sorts_by))}">{text}</{tag}>'


def number_cell(value, text=None):
    """A cell of a number, empty where there is none."""
    if value is None or value != value:
        return cell("", number=True)
    return cell(pio.number(pio.plain(float(value))) if text is None else text, repr(float(value)), number=True)


def value_cell(value):
    """A cell of a key's value."""
    if isinstance(value, str):
        return cell(html.escape(value), value)
    return number_cell(value)


def table(heads, rows):
    """A table that can be sorted; heads: (HTML, whether numbers)."""
    row = "".join(f'<th scope="col" aria-sort="none"{" class=n" if number else ""}>'
                  f'<button type="button">{text}</button></th>' for text, number in heads)
    body = "\n".join(rows)
    return f"<table>\n<thead><tr>{row}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"
