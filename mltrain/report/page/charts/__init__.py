"""Charts as SVG: numbers in, an `<svg>` out, the same text for the same numbers. One file a kind.

They are in the page and, with a style of their own, files in `plots/`. Lines differ in dash as well as in colour,
and the colours are those of Okabe and Ito, so that they can be read by the colour-blind, on white and on black.
"""
