"""What depends on a family of FPGAs: its primitives, its tools, its devices."""
