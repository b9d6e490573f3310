"""Networks whose plans are stated in README: the multipliers, the interval, and the MAC efficiency that is reached."""

BUILT_IN = (("digits", 16, 4_608, 0.80), ("cifar10", 64, 294_912, 0.80), ("cifar10_v3", 64, 294_912, 0.88))

SHARED = (
    ("vww_96_int8", 156, 53_760, 0.893),
    ("vww_96_int8", 320, 24_576, 0.952),
    ("person_detect_qdimfix", 128, 59_904, 0.933),
    ("mobilenet_v1_0.25_128_quant", 128, 116_736, 0.908),
    ("mobilenetv2_160_035_cfu", 256, 129_600, 0.892),
    ("tf2_mobilenet_v2_1.0_224_ptq", 2048, 150_528, 0.97),
)
"""Files of ../shared/models that ``mbconv bench`` simulates whole."""
