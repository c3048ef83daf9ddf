"""Plots: plain data in, the bytes of a PNG out; the same bytes for the same data. One file a plot.

They can be read in gray and by the colour-blind: lines differ in dash and marker as well as in colour (Okabe and Ito's
palette). Text from data and config is shown as it is: never read as a formula, never able to break a plot.
"""
