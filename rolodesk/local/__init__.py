"""The local stack: everything that ``make up``, ``make test`` and ``make bench`` start on one machine."""
