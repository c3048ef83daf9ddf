"""What the predictions of a model depend on."""
