"""The operators: one file for each, with all that generators know of it. :mod:`.registry` finds them."""
