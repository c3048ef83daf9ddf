"""Training: the compiled loop, callbacks, signals, devices."""
