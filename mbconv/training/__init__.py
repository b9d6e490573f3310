"""Training of the built-in models and writing of ``.tflite`` files. Needs the extra ``mbconv[training]``."""
