"""Pictures to input values: cropping, resizing, quantisation, rolling, and what is refused."""

from functools import partial

import numpy as np
import pytest
from PIL import Image

from mbconv.generators.graph.graph import INT8, UINT8, Element, GraphError, Tensor
from mbconv.sim.pictures.pictures import load_picture, load_values, roll_frames


def tensor(shape, element=INT8, scale=1 / 255, zero_point=-128):
    return Tensor(0, "picture", shape, element, scale, zero_point)


def save(path, pixels):
    Image.fromarray(np.asarray(pixels, np.uint8)).save(path)
    return path


@pytest.fixture
def ramp(tmp_path):
    """4 × 64 gray levels in their order."""
    return save(tmp_path / "ramp.png", np.arange(256).reshape(4, 64))


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        (INT8, np.arange(256) - 128),
        (UINT8, np.arange(256)),
        (Element(4, False), np.floor(np.arange(256) * 15 / 255 + 0.5)),
        (Element(16, True), np.arange(256) * 257 - 32768),
    ],
)
def test_pixels_span_the_elements_range(ramp, element, expected):
    values = load_picture(ramp, tensor((1, 4, 64, 1), element))
    assert values.dtype == element.dtype
    np.testing.assert_array_equal(values.reshape(-1), expected)


def test_mean_and_std_give_real_values(ramp):
    source = tensor((1, 4, 64, 1), INT8, scale=0.02, zero_point=3)
    values = load_picture(ramp, source, mean=100, std=60).reshape(-1)
    exact = (np.arange(256) - 100) / 60 / 0.02 + 3
    inside = np.clip(exact, -128, 127)
    np.testing.assert_array_equal(values, np.sign(inside) * np.floor(np.abs(inside) + 0.5))
    assert values[0] == -80 and values[-1] == 127
    np.testing.assert_array_equal(load_picture(ramp, source, mean=100), load_picture(ramp, source, mean=100, std=1))


def test_channels_are_normalised_apart_and_may_come_first(tmp_path):
    path = save(tmp_path / "colour.png", np.broadcast_to([10, 20, 30], (6, 6, 3)))
    source = tensor((1, 6, 6, 3), INT8, scale=1.0, zero_point=0)
    values = load_picture(path, source, mean=(9, 18, 27), std=(1, 2, 3))
    np.testing.assert_array_equal(values, np.ones((1, 6, 6, 3)))
    first = load_picture(path, tensor((1, 3, 6, 6), UINT8))
    np.testing.assert_array_equal(first[0, :, 2, 3], [10, 20, 30])
    gray = load_picture(path, tensor((1, 6, 6, 1), UINT8))
    np.testing.assert_array_equal(gray, np.full((1, 6, 6, 1), 18))  # 0.299, 0.587, 0.114


def test_ways_to_resize(tmp_path):
    """A picture of three squares side by side, black, gray and white, read as one square."""
    squares = np.repeat(np.repeat([[0, 100, 255]], 40, axis=1), 40, axis=0)
    path = save(tmp_path / "squares.png", squares)
    source = tensor((1, 8, 8, 1), UINT8)

    def load(resize):
        return load_picture(path, source, resize)[0, :, :, 0]

    np.testing.assert_array_equal(load("crop"), np.full((8, 8), 100))
    np.testing.assert_array_equal(load("8"), load(8))
    assert load(8).shape == (8, 8) and (load(8)[:, 1:7] == 100).all()
    stretched = load("stretch")
    assert stretched[0, 0] == 0 and stretched[7, 7] == 255 and (np.diff(stretched.astype(int)) >= 0).all()
    fitted = load("fit")
    assert (fitted[:2] == 128).all() and (fitted[6:] == 128).all() and fitted[3, 0] == 0 and fitted[3, 7] == 255


def test_the_way_a_picture_was_held(tmp_path):
    """A camera's note that the picture lies on its side is followed."""
    picture = Image.fromarray(np.array([[10, 200]], np.uint8))
    exif = picture.getexif()
    exif[0x0112] = 6
    picture.save(tmp_path / "held.png", exif=exif)
    values = load_picture(tmp_path / "held.png", tensor((1, 2, 1, 1), UINT8))
    np.testing.assert_array_equal(values.reshape(-1), [10, 200])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"resize": "zoom"}, "resize 'zoom' is neither crop, stretch, fit nor a number of pixels"),
        ({"resize": 7}, "resize 7 is less than the input's 8×8 pixels"),
        ({"std": 0}, "std 0 is not greater than 0"),
        ({"mean": (1, 2)}, r"mean 1,2 is neither one number nor 3"),
        ({"mean": float("nan")}, "mean nan is not finite"),
    ],
)
def test_options_that_do_not_fit(tmp_path, options, message):
    path = save(tmp_path / "p.png", np.zeros((9, 9, 3)))
    with pytest.raises(GraphError, match=message):
        load_picture(path, tensor((1, 8, 8, 3)), **options)


def test_files_that_are_no_pictures(tmp_path, ramp):
    source = tensor((1, 8, 8, 1))
    with pytest.raises(GraphError, match=r"cannot read picture .*missing\.png: No such file"):
        load_picture(tmp_path / "missing.png", source)
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(GraphError, match=r"text\.png is no picture that Pillow can read"):
        load_picture(tmp_path / "text.png", source)
    noise = save(tmp_path / "noise.png", np.random.default_rng(1).integers(0, 256, (40, 40)))
    (tmp_path / "cut.png").write_bytes(noise.read_bytes()[:500])
    with pytest.raises(GraphError, match=r"cannot read picture .*cut\.png: .*truncated"):
        load_picture(tmp_path / "cut.png", source)
    with pytest.raises(GraphError, match=r"shape \(1, 10\), which is no picture"):
        load_picture(ramp, tensor((1, 10)))


def test_values_are_taken_as_they_are(tmp_path):
    source = tensor((1, 2, 3))
    values = np.arange(6, dtype=np.int64).reshape(1, 2, 3)
    for name, stored in (("full", values), ("unbatched", values[0])):
        np.save(tmp_path / f"{name}.npy", stored)
        loaded = load_values(tmp_path / f"{name}.npy", source)
        assert loaded.dtype == np.int8
        np.testing.assert_array_equal(loaded, values)


def test_values_that_do_not_fit(tmp_path):
    source = tensor((1, 2, 3))
    for stored, message in (
        (np.zeros((1, 3, 2), np.int8), r"x\.npy: input 0 .* shape \(1, 3, 2\)"),
        (np.zeros((1, 2, 3), np.float32), "quantise them"),
        (np.full((1, 2, 3), -129), "values from -129 to -129"),
        (np.array([None] * 6).reshape(1, 2, 3), r"is no \.npy file of integers"),
    ):
        np.save(tmp_path / "x.npy", stored)
        with pytest.raises(GraphError, match=message):
            load_values(tmp_path / "x.npy", source)
    (tmp_path / "empty.npy").write_bytes(b"")
    np.savez(tmp_path / "several.npz", a=np.zeros(3))
    for name, message in (
        ("empty.npy", r"is no \.npy file"),
        ("several.npz", "several arrays"),
        ("missing.npy", "No such file"),
    ):
        with pytest.raises(GraphError, match=message):
            load_values(tmp_path / name, source)


def test_frames_are_rolled_where_pictures_are_few():
    a = np.arange(24).reshape(1, 2, 4, 3)
    b = a + 100
    frames = roll_frames([a, b], 5)
    assert len(frames) == 5
    for k, frame in enumerate(frames):
        picture = (a, b)[k % 2]
        for column in range(4):
            np.testing.assert_array_equal(frame[:, :, (column + k) % 4], picture[:, :, column])
    enough = roll_frames([a, b], 2)
    np.testing.assert_array_equal(enough[1], b)
    with pytest.raises(GraphError, match="no picture was given"):
        roll_frames([], 3)
    with pytest.raises(GraphError, match="at least one frame is needed, not 0"):
        roll_frames([a], 0)


# What a file may hold, each right or refused.


def loaded(path, shape):
    return load_picture(path, tensor(shape, UINT8)).reshape(shape[1:])


def test_sixteen_bit_grey_is_the_same_picture(tmp_path, ramp):
    levels = np.arange(256).reshape(4, 64)
    for name in ("16.png", "16.tif"):
        Image.fromarray((levels * 257).astype(np.uint16)).save(tmp_path / name)
        np.testing.assert_array_equal(loaded(tmp_path / name, (1, 4, 64, 1))[..., 0], levels)
        np.testing.assert_array_equal(loaded(tmp_path / name, (1, 4, 64, 3)), np.repeat(levels[..., None], 3, 2))
    (tmp_path / "16.pgm").write_bytes(b"P5 64 4 65535\n" + (levels * 257).astype(">u2").tobytes())
    np.testing.assert_array_equal(loaded(tmp_path / "16.pgm", (1, 4, 64, 1))[..., 0], levels)
    between = np.array([[0, 128, 129, 385, 386, 65406, 65407, 65535]])
    Image.fromarray(between.astype(np.uint16)).save(tmp_path / "between.png")
    np.testing.assert_array_equal(
        loaded(tmp_path / "between.png", (1, 1, 8, 1))[0, :, 0], [0, 0, 1, 1, 2, 254, 255, 255]
    )


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_as_they_were_taken(tmp_path, orientation):
    shown = np.arange(24).reshape(4, 6) * 10
    turn = {
        1: lambda a: a,
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: np.transpose,
        6: np.rot90,
        7: lambda a: np.rot90(np.transpose(a), 2),
        8: lambda a: np.rot90(a, 3),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "turned.png"
    Image.fromarray(np.ascontiguousarray(turn(shown)).astype(np.uint8)).save(path, exif=exif)
    np.testing.assert_array_equal(loaded(path, (1, 4, 6, 1))[..., 0], shown)


def test_palettes_and_opaque_alpha(tmp_path):
    rng = np.random.default_rng(0)
    colours = rng.integers(0, 256, (4, 3)).astype(np.uint8)
    places = rng.integers(0, 4, (5, 7)).astype(np.uint8)
    picture = Image.fromarray(places, "P")
    picture.putpalette(colours.reshape(-1).tolist())
    picture.save(tmp_path / "palette.png")
    np.testing.assert_array_equal(loaded(tmp_path / "palette.png", (1, 5, 7, 3)), colours[places])
    opaque = np.concatenate([colours[places], np.full((5, 7, 1), 255, np.uint8)], 2)
    Image.fromarray(opaque).save(tmp_path / "opaque.png")
    np.testing.assert_array_equal(loaded(tmp_path / "opaque.png", (1, 5, 7, 3)), colours[places])


def _transparent(path):
    Image.new("RGBA", (4, 4), (200, 100, 50, 254)).save(path.with_suffix(".png"))
    return path.with_suffix(".png")


def _transparent_palette(path):
    picture = Image.new("P", (4, 4), 1)
    picture.putpalette([0, 0, 0, 9, 9, 9])
    picture.save(path.with_suffix(".png"), transparency=1)
    return path.with_suffix(".png")


def _inks(path):
    Image.new("CMYK", (4, 4), (1, 2, 3, 4)).save(path.with_suffix(".jpg"))
    return path.with_suffix(".jpg")


def _floats(path):
    Image.fromarray(np.ones((4, 4), np.float32)).save(path.with_suffix(".tif"))
    return path.with_suffix(".tif")


def _integers(path, value):
    """Of 32 bits: black or white, nothing says it."""
    Image.fromarray(np.full((4, 4), value, np.int32)).save(path.with_suffix(".tif"))
    return path.with_suffix(".tif")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_transparent, "has transparent pixels"),
        (_transparent_palette, "has transparent pixels"),
        (_inks, r"holds inks \(CMYK\)"),
        (_floats, "holds floating-point numbers"),
        (partial(_integers, value=70_000), "holds integers of 32 bits"),
        (partial(_integers, value=200), "holds integers of 32 bits"),
    ],
)
def test_pictures_without_one_answer(tmp_path, make, reason):
    with pytest.raises(GraphError, match=reason):
        loaded(make(tmp_path / "picture"), (1, 4, 4, 3))


@pytest.mark.parametrize("side", [6, 7, 19, 300])
def test_what_is_kept_of_a_scaled_picture_is_its_centre(tmp_path, side):
    """As though all of it were scaled and then cut."""
    rng = np.random.default_rng(side)
    pixels = rng.integers(0, 256, (9, 13, 3)).astype(np.uint8)
    path = save(tmp_path / "noise.png", pixels)
    scaled = Image.fromarray(pixels).resize((max(side, round(13 * side / 9)), side), Image.Resampling.BILINEAR)
    left, top = (scaled.width - 6) // 2, (scaled.height - 5) // 2
    expected = np.asarray(scaled.crop((left, top, left + 6, top + 5)))
    found = load_picture(path, tensor((1, 5, 6, 3), UINT8), resize=side)[0]
    assert np.abs(found.astype(int) - expected).max() <= (side > 100), (
        "far from the corner places are rounded otherwise"
    )


def test_a_resize_is_bounded_and_costs_what_is_kept(tmp_path):
    path = save(tmp_path / "grey.png", np.full((300, 400), 77))
    assert (loaded_at(path, 60_000) == 77).all()
    with pytest.raises(GraphError, match="resize 65537 is more than 65536 pixels"):
        loaded_at(path, 65_537)


def loaded_at(path, side):
    return load_picture(path, tensor((1, 5, 6, 3), UINT8), resize=side)
