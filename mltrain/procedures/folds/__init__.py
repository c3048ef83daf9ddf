"""`cross-validate`: one run for each fold, and what they say together."""
