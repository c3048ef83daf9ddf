"""`mltrain init --data`: looks at a data file and writes the config of a first experiment. No TensorFlow here."""
