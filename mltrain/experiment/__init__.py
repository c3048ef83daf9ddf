"""The whole experiment as one object, and the rules between its sections."""
