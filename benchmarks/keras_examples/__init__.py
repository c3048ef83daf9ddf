"""Five examples that Keras is known for, as a script and as YAML."""
