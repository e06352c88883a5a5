"""Bringing in what lies in files: reading rows, mapping columns, feeding the write gate.

``sources`` turns a file into rows with line numbers, ``mapping`` turns a row into an operation or a
reason against it, ``feeder`` hands operations to the inbox no faster than the workers take them.
"""
