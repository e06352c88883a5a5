"""Measurements of the product against what the same machine could do at best: ``python -m bench --help``.

Each figure is a ratio taken within one run, since nobody else has this machine. ``docs/performance.md``
keeps the last full run and says what each figure means.
"""
