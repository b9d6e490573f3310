"""Object detection by SSD networks: from a network's outputs to labelled boxes, and how good they are."""
