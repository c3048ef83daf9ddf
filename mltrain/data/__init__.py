"""Data: sources, tables, splits, features."""
