"""How texts become tokens: one rule, that NumPy and a graph of plain Keras operations both carry out."""
