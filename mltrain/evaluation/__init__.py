"""How good a model is: exact metrics of its predictions, and whether chance would do as well."""
