"""The product's settings, with an empty view beside its pages."""

from rolodesk.settings import *  # noqa: F403  # all of them

ROOT_URLCONF = "bench.urls"
