"""From files and specifications to graphs."""
