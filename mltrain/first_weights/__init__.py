"""The weights that a training begins with where they are not random: arrays of files, and the layers for them."""
