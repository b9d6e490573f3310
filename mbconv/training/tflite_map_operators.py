"""The operators that move, choose and pool the elements of maps, as methods of a writer of ``.tflite`` files."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .tflite_builder import TfliteBuilder, output_size


class MapOperators(TfliteBuilder):
    """Operators without weights that give other shapes."""

    def average_pool(
        self,
        x: int,
        kernel: tuple[int, int],
        strides: tuple[int, int] = (1, 1),
        padding: str = "VALID",
        activation: str = "NONE",
        name: str = "",
    ) -> int:
        """AVERAGE_POOL_2D, the output quantised as the input is."""
        return self._pool("AVERAGE_POOL_2D", x, kernel, strides, padding, activation, name)

    def max_pool(
        self,
        x: int,
        kernel: tuple[int, int],
        strides: tuple[int, int] = (1, 1),
        padding: str = "VALID",
        activation: str = "NONE",
        name: str = "",
    ) -> int:
        """MAX_POOL_2D, the output quantised as the input is."""
        return self._pool("MAX_POOL_2D", x, kernel, strides, padding, activation, name)

    def _pool(
        self,
        code: str,
        x: int,
        kernel: tuple[int, int],
        strides: tuple[int, int],
        padding: str,
        activation: str,
        name: str,
    ) -> int:
        batch, height, width, channels = self.tensors[x].shape
        fields = {
            "Padding": self.padding_code(padding),
            "StrideH": strides[0],
            "StrideW": strides[1],
            "FilterHeight": kernel[0],
            "FilterWidth": kernel[1],
            "FusedActivationFunction": self.activation_code(activation),
        }
        shape = (
            batch,
            output_size(height, kernel[0], strides[0], padding),
            output_size(width, kernel[1], strides[1], padding),
            channels,
        )
        return self.operator(code, (x,), shape, None, None, "Pool2DOptions", fields, name)

    def mean(
        self,
        x: int,
        scale: float | None = None,
        zero_point: int | None = None,
        keep: bool = False,
        name: str = "",
        axes: Sequence[int] = (1, 2),
    ) -> int:
        """MEAN over ``axes``, by default height and width; ``keep`` leaves them in the shape as 1."""
        known = self.tensors[x].shape
        places = self.integers("axes", axes)
        gone = {axis % len(known) for axis in axes}
        shape = [1 if axis in gone else size for axis, size in enumerate(known) if keep or axis not in gone]
        return self.operator("MEAN", (x, places), shape, scale, zero_point, "ReducerOptions", {"KeepDims": keep}, name)

    def arg_max(self, x: int, axis: int = -1, dtype: str = "int32", name: str = "") -> int:
        """ARG_MAX along ``axis``: int32 or int64."""
        known = self.tensors[x].shape
        place = self.tensor(f"axis_{len(self.operators)}", (), dtype="int32", data=np.array(axis))
        shape = [size for other, size in enumerate(known) if other != axis % len(known)]
        number = {"int32": 2, "int64": 4}[dtype]  # tflite.TensorType
        fields = {"OutputType": number}
        return self.operator("ARG_MAX", (x, place), shape, None, None, "ArgMaxOptions", fields, name, dtype)

    def concatenation(self, tensors: Sequence[int], axis: int, name: str = "") -> int:
        """CONCATENATION along ``axis``, the output quantised as the first input is."""
        shapes = [self.tensors[tensor].shape for tensor in tensors]
        shape = list(shapes[0])
        shape[axis] = sum(other[axis] for other in shapes)
        fields = {"Axis": axis, "FusedActivationFunction": 0}
        return self.operator("CONCATENATION", tensors, shape, None, None, "ConcatenationOptions", fields, name)

    def resize(
        self,
        x: int,
        height: int,
        width: int,
        bilinear: bool = False,
        align_corners: bool = False,
        half_pixel_centers: bool = False,
        name: str = "",
    ) -> int:
        """RESIZE_NEAREST_NEIGHBOR or RESIZE_BILINEAR."""
        code, options = (
            ("RESIZE_BILINEAR", "ResizeBilinear") if bilinear else ("RESIZE_NEAREST_NEIGHBOR", "ResizeNearestNeighbor")
        )
        batch, _, _, channels = self.tensors[x].shape
        size = self.integers("size", (height, width))
        fields = {"AlignCorners": align_corners, "HalfPixelCenters": half_pixel_centers}
        return self.operator(
            code, (x, size), (batch, height, width, channels), None, None, f"{options}Options", fields, name
        )

    def strided_slice(
        self, x: int, begin: Sequence[int], end: Sequence[int], strides: Sequence[int] | None = None, name: str = ""
    ) -> int:
        """STRIDED_SLICE by plain lists, as Python slices elements."""
        strides = [1] * len(begin) if strides is None else strides
        lists = [self.integers(what, values) for what, values in (("begin", begin), ("end", end), ("strides", strides))]
        sizes = self.tensors[x].shape
        shape = [len(range(n)[b:e:s]) for n, b, e, s in zip(sizes, begin, end, strides, strict=True)]
        return self.operator("STRIDED_SLICE", (x, *lists), shape, None, None, "StridedSliceOptions", {}, name)

    def slice(self, x: int, begin: Sequence[int], size: Sequence[int], name: str = "") -> int:
        """SLICE: ``size`` elements from ``begin`` on; −1 stands for all that are left."""
        lists = [self.integers("begin", begin), self.integers("size", size)]
        whole = self.tensors[x].shape
        shape = [n - b if s == -1 else s for n, b, s in zip(whole, begin, size, strict=True)]
        return self.operator("SLICE", (x, *lists), shape, None, None, "SliceOptions", {}, name)

    def split(self, x: int, parts: int, axis: int, name: str = "") -> tuple[int, ...]:
        """SPLIT into equal parts along ``axis``."""
        known = self.tensors[x].shape
        place = self.tensor(f"axis_{len(self.operators)}", (), dtype="int32", data=np.array(axis))
        shape = [size // parts if other == axis % len(known) else size for other, size in enumerate(known)]
        dtype = self.tensors[x].dtype
        return self.operator_of_several(
            "SPLIT", (place, x), [shape] * parts, options="SplitOptions", fields={"NumSplits": parts}, name=name,
            dtype=dtype,
        )  # fmt: skip

    def detection_post_process(
        self, boxes: int, scores: int, anchors: np.ndarray, classes: int, name: str = "",
        anchor_scale: float | None = None, **options: float,
    ) -> tuple[int, ...]:  # fmt: skip
        """TFLite_Detection_PostProcess of box encodings and scores: boxes, classes, scores, and their number.

        Args:
            anchors: ``[N][4]``: centre (y, x), height and width; uint8 where ``anchor_scale`` is given.
            options: entries of its map that differ from the usual ones.
        """
        fields = {
            "max_detections": 10, "max_classes_per_detection": 1, "detections_per_class": 100,
            "use_regular_nms": False, "nms_score_threshold": 0.1, "nms_iou_threshold": 0.6, "num_classes": classes,
            "y_scale": 10.0, "x_scale": 10.0, "h_scale": 5.0, "w_scale": 5.0, **options,
        }  # fmt: skip
        dtype = "float32" if anchor_scale is None else "uint8"
        known = self.tensor(f"anchors_{len(self.operators)}", anchors.shape, anchor_scale, 0, dtype, anchors)
        count = int(fields["max_detections"] * fields["max_classes_per_detection"])
        return self.operator_of_several(
            "CUSTOM TFLite_Detection_PostProcess", (boxes, scores, known),
            ((1, count, 4), (1, count), (1, count), (1,)), fields=fields, name=name, dtype="float32",
        )  # fmt: skip

    def pad(
        self,
        x: int,
        top: int = 0,
        bottom: int = 0,
        left: int = 0,
        right: int = 0,
        name: str = "",
        channels: tuple[int, int] = (0, 0),
    ) -> int:
        """PAD of height and width, and of channels before and behind, with the zero point."""
        amounts = np.array([[0, 0], [top, bottom], [left, right], channels])
        paddings = self.tensor(f"paddings_{len(self.operators)}", (4, 2), dtype="int32", data=amounts)
        shape = [size + sum(more) for size, more in zip(self.tensors[x].shape, amounts.tolist(), strict=True)]
        return self.operator("PAD", (x, paddings), shape, None, None, "PadOptions", {}, name)

    def reshape(self, x: int, shape: Sequence[int], name: str = "") -> int:
        """RESHAPE to ``shape``."""
        if np.prod(shape) != np.prod(self.tensors[x].shape):
            raise ValueError(f"reshape {name}: {self.tensors[x].shape} and {tuple(shape)} differ in size")
        new = self.integers("shape", shape)
        return self.operator("RESHAPE", (x, new), shape, None, None, "ReshapeOptions", {}, name)

    def transpose(self, x: int, permutation: Sequence[int], name: str = "") -> int:
        """TRANSPOSE by ``permutation``."""
        axes = self.integers("permutation", permutation)
        shape = [self.tensors[x].shape[axis] for axis in permutation]
        return self.operator("TRANSPOSE", (x, axes), shape, None, None, "TransposeOptions", {}, name)

    def squeeze(self, x: int, axes: Sequence[int], name: str = "") -> int:
        """SQUEEZE of axes of size 1."""
        shape = [size for axis, size in enumerate(self.tensors[x].shape) if axis not in axes]
        fields = {"SqueezeDims": tuple(axes)}
        return self.operator("SQUEEZE", (x,), shape, None, None, "SqueezeOptions", fields, name)

    def expand_dims(self, x: int, axis: int, name: str = "") -> int:
        """EXPAND_DIMS by an axis of size 1."""
        place = self.tensor(f"axis_{len(self.operators)}", (), dtype="int32", data=np.array(axis))
        shape = list(self.tensors[x].shape)
        shape.insert(axis, 1)
        return self.operator("EXPAND_DIMS", (x, place), shape, None, None, "ExpandDimsOptions", {}, name)
