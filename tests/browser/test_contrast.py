"""The colours of static/css/tokens.css against WCAG 2.2 AA, in both themes. No browser is needed for this."""

import re
from functools import cache
from math import cos, radians, sin
from pathlib import Path

import pytest

CSS = Path(__file__).parents[2] / "static" / "css"
TEXT, EDGE = 4.5, 3.0  # SC 1.4.3: text; SC 1.4.11: what one must find, as edges, icons and the focus ring
THEMES = ("light", "dark")

PLAIN = "surface-ground surface surface-raised surface-sunken surface-hover"
ALL_PLAIN = f"{PLAIN} surface-pressed surface-selected"
TINTED = "accent-surface danger-surface warn-surface ok-surface masked-surface masked-surface-strong"
# What stands on what, as the stylesheet uses it: foreground, what it needs, and its grounds.
GROUNDS = [
    ("text", TEXT, f"{ALL_PLAIN} {TINTED} mark"),
    ("text", TEXT, " ".join(f"heat-{step}" for step in range(10))),
    ("text-muted", TEXT, f"{ALL_PLAIN} {TINTED}"),
    ("accent-text", TEXT, f"{ALL_PLAIN} accent-surface"),
    ("danger-text", TEXT, f"{PLAIN} surface-selected danger-surface"),
    ("warn-text", TEXT, f"{PLAIN} surface-selected warn-surface"),
    ("ok-text", TEXT, f"{PLAIN} surface-selected ok-surface"),
    ("masked-text", TEXT, f"{ALL_PLAIN} masked-surface masked-surface-strong"),
    ("on-accent", TEXT, "accent accent-strong"),
    ("on-danger", TEXT, "danger danger-strong"),
    ("line-control", EDGE, PLAIN),
    ("icon", EDGE, ALL_PLAIN),
    ("focus", EDGE, f"{ALL_PLAIN} {TINTED}"),
    ("accent", EDGE, f"{PLAIN} surface-selected"),
    ("danger", EDGE, f"{PLAIN} danger-surface"),
    ("warn", EDGE, "surface surface-raised warn-surface"),
    ("ok", EDGE, "surface surface-raised ok-surface"),
    ("masked", EDGE, "surface surface-raised masked-surface"),
    *((f"series-{number}", EDGE, "surface") for number in range(1, 5)),
]
PAIRS = [(front, ground, needed) for front, needed, grounds in GROUNDS for ground in grounds.split()]
# Another way to write a colour than by a token's name.
LITERAL = re.compile(r"#[0-9a-f]{3,8}\b|\b(?:rgba?|hsla?|hwb|lab|lch|oklab|oklch|color)\(", re.IGNORECASE)


def without_comments(css: str) -> str:
    return re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)


@cache
def tokens() -> dict[str, str]:
    """The first definition of each; later ones are for densities and for people who want more contrast."""
    found: dict[str, str] = {}
    for name, value in re.findall(r"--([\w-]+):\s*([^;]+);", without_comments((CSS / "tokens.css").read_text())):
        found.setdefault(name, " ".join(value.split()))
    return found


def colour(value: str, theme: str) -> str:
    """The oklch() that a value comes down to in this theme."""
    if pair := re.fullmatch(r"light-dark\(([^()]+\([^()]*\)), ([^()]+\([^()]*\))\)", value):
        return colour(pair[1 + THEMES.index(theme)], theme)
    if name := re.fullmatch(r"var\(--([\w-]+)\)", value):
        return colour(tokens()[name[1]], theme)
    return value


def luminance(oklch: str) -> float:
    """Relative luminance (WCAG) of an opaque colour; its way is OKLab, then linear sRGB."""
    match = re.fullmatch(r"oklch\(([\d.]+) ([\d.]+) ([\d.]+)\)", oklch)
    assert match, f"{oklch} is no opaque oklch colour"
    lightness, chroma, hue = map(float, match.groups())
    a, b = chroma * cos(radians(hue)), chroma * sin(radians(hue))
    long, medium, short = (
        (lightness + a * by_a + b * by_b) ** 3
        for by_a, by_b in ((0.3963377774, 0.2158037573), (-0.1055613458, -0.0638541728), (-0.0894841775, -1.2914855480))
    )
    red, green, blue = (
        min(1, max(0, long * by_long + medium * by_medium + short * by_short))
        for by_long, by_medium, by_short in (
            (4.0767416621, -3.3077115913, 0.2309699292),
            (-1.2684380046, 2.6097574011, -0.3413193965),
            (-0.0041960863, -0.7034186147, 1.7076147010),
        )
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG, from 1 to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_the_ratio_of_known_colours_is_that_of_wcag():
    assert contrast("oklch(1 0 0)", "oklch(0 0 0)") == pytest.approx(21, abs=0.01)
    # #767676, the lightest grey that passes on white, and pure red.
    assert contrast("oklch(0.5654 0 0)", "oklch(1 0 0)") == pytest.approx(4.54, abs=0.02)
    assert contrast("oklch(0.62796 0.25768 29.234)", "oklch(1 0 0)") == pytest.approx(4.0, abs=0.02)


@pytest.mark.parametrize("theme", THEMES)
def test_every_pair_of_colours_has_enough_contrast(theme: str):
    ratios = {
        (front, ground, needed): contrast(colour(tokens()[front], theme), colour(tokens()[ground], theme))
        for front, ground, needed in PAIRS
    }
    assert len(ratios) == 129
    assert {pair: round(ratio, 2) for pair, ratio in ratios.items() if ratio < pair[2]} == {}


def test_the_two_themes_differ():
    assert [front for front, _, _ in PAIRS if colour(tokens()[front], "light") != colour(tokens()[front], "dark")]


@pytest.mark.parametrize("name", ["rolodesk.css", "admin.css"])
def test_colours_are_named_in_the_tokens_alone(name: str):
    assert LITERAL.findall(without_comments((CSS / name).read_text())) == []


@pytest.mark.parametrize("name", ["rolodesk.css", "admin.css"])
def test_every_token_that_a_stylesheet_uses_exists(name: str):
    css = without_comments((CSS / name).read_text())
    own = set(re.findall(r"(--[\w-]+)\s*:", css))
    used = set(re.findall(r"var\((--[\w-]+)", css))
    assert {token.removeprefix("--") for token in used - own} <= tokens().keys()
