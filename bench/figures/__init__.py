"""One module a figure; ``FIGURES`` is their order, in which the stored data grows."""

from bench.figures import batches, growth, lag, naive, reads, singles

FIGURES = (growth.FIGURE, batches.FIGURE, singles.FIGURE, lag.FIGURE, reads.FIGURE, naive.FIGURE)
