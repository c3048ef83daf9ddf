"""The sections of the page: what is known of a run in, HTML out. One file a section."""
