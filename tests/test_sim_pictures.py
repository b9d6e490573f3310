"""Pictures to input values: cropping, resizing, quantisation, rolling, and what is refused."""

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
        ({"std": 0}, "std 0 would divide by zero"),
        ({"mean": (1, 2)}, r"mean \(1, 2\) is neither one number nor 3"),
        ({"mean": float("nan")}, "mean nan is neither"),
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
