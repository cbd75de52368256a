"""Loads the pickles that CIFAR is published in, and nothing else: no name in them reaches code or types of numpy.

An allowlist of numpy's own types is not enough: an array of objects, or a state put into a type, reaches memory. So
every name that CIFAR's pickles use is answered by a stand-in, which takes the one form that plain data have.
"""

from __future__ import annotations

import io
import math
import pickle
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from ablations.errors import DataError
from senet_core.errors import one_line

MOST_PIECES = 4_000_000
"""Limit of what a pickle says one after the other; the largest of CIFAR's has a third of it."""

_DTYPES: dict[str, np.dtype[Any]] = {"u1": np.dtype(np.uint8), "i8": np.dtype(np.int64)}


class _StandIn:
    """Stands for a name in a pickle; nothing can be put into it."""

    __slots__ = ()

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise pickle.UnpicklingError(f"it sets {name}, which image data does not need")

    def __setstate__(self, state: object) -> NoReturn:
        raise pickle.UnpicklingError("it gives a state to a type, which image data does not need")


class _NdarrayType(_StandIn):
    """The type of arrays, as the first argument of `_reconstruct`."""

    __slots__ = ()


class _Dtype(_StandIn):
    """A data type of bytes or of 64-bit numbers."""

    __slots__ = ("code",)
    code: str

    def __init__(self, code: str) -> None:
        object.__setattr__(self, "code", code)

    def __setstate__(self, state: object) -> None:  # type: ignore[override]
        plain = isinstance(state, tuple) and len(state) >= 2 and state[1] in ("|", "<", b"|", b"<")
        if not plain or any(part not in (None, -1, 0) for part in state[2:]):  # type: ignore[index]
            raise pickle.UnpicklingError("its numbers have a form that image data does not need")


class _Array(_StandIn):
    """An array that is being read: `_reconstruct` makes it, its state fills it."""

    __slots__ = ("value",)
    value: npt.NDArray[Any] | None

    def __init__(self) -> None:
        object.__setattr__(self, "value", None)

    def __setstate__(self, state: object) -> None:  # type: ignore[override]
        if not isinstance(state, tuple) or len(state) != 5:
            raise pickle.UnpicklingError("an array in it has no plain state")
        _, shape, dtype, fortran, data = state
        sizes = (
            isinstance(shape, tuple)
            and len(shape) <= 4
            and all(type(size) is int and 0 <= size < 2**40 for size in shape)
        )
        if (
            not sizes
            or not isinstance(dtype, _Dtype)
            or type(data) is not bytes
            or not isinstance(fortran, (bool, int))
        ):
            raise pickle.UnpicklingError("an array in it is not one of plain numbers")
        numbers = _DTYPES[dtype.code]
        if math.prod(shape) * numbers.itemsize != len(data):
            raise pickle.UnpicklingError(
                f"an array in it has {len(data)} bytes, and a shape {shape} that needs others"
            )
        array = np.frombuffer(data, numbers).reshape(shape, order="F" if fortran else "C")
        object.__setattr__(self, "value", array)


class _Reconstruct(_StandIn):
    __slots__ = ()

    def __call__(self, kind: object, shape: object, code: object) -> _Array:
        if not isinstance(kind, _NdarrayType):
            raise pickle.UnpicklingError("it makes arrays of another type, which image data does not need")
        return _Array()


class _MakeDtype(_StandIn):
    __slots__ = ()

    def __call__(self, code: object, align: object = False, copy: object = False) -> _Dtype:
        text = code.decode("latin1", "replace") if isinstance(code, bytes) else code
        if not isinstance(text, str) or text not in _DTYPES:
            raise pickle.UnpicklingError(
                f"it has numbers of type {text!r}; {' and '.join(_DTYPES)} are allowed"
            )
        return _Dtype(text)


class _Encode(_StandIn):
    """The codec function: how Python 3 writes bytes into old pickles."""

    __slots__ = ()

    def __call__(self, text: object, encoding: object) -> bytes:
        name = encoding.decode("latin1", "replace") if isinstance(encoding, bytes) else encoding
        if name != "latin1" or not isinstance(text, str):
            raise pickle.UnpicklingError(f"encoding {name!r} is not allowed")
        return text.encode("latin1")


_NAMES: dict[tuple[str, str], type[_StandIn]] = {
    ("numpy", "ndarray"): _NdarrayType,
    ("numpy", "dtype"): _MakeDtype,
    ("numpy.core.multiarray", "_reconstruct"): _Reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _Reconstruct,
    ("_codecs", "encode"): _Encode,
}


class _Counted(io.BytesIO):
    """A pickle that is read in so many pieces and no more: a number of them takes as long as it has digits."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._left = MOST_PIECES

    def read(self, size: int | None = -1, /) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise pickle.UnpicklingError(f"it has more than {MOST_PIECES:,} pieces; image data has fewer")
        return super().read(size)


class _PlainData(pickle._Unpickler):
    """Loads dicts, lists, bytes, numbers and plain arrays; refuses anything else, and so any code.

    In Python, as the one in C takes memory for a memo of any size that a pickle names.
    """

    dispatch = {  # noqa: RUF012  (as its base class has it)
        code: load
        for code, load in pickle._Unpickler.dispatch.items()
        if code not in (*pickle.BYTEARRAY8, *pickle.NEXT_BUFFER, *pickle.EXT1, *pickle.EXT2, *pickle.EXT4)
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _NAMES:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which image data does not need")
        return _NAMES[module, name]()


def unpickle(data: bytes, name: str) -> dict[Any, Any]:
    """Return a pickled dict of plain data; nothing in it is ever executed.

    Args:
        data: the pickle.
        name: of its file, for messages.

    Raises:
        DataError: it is damaged, is no dict, or holds anything but plain data.
    """
    try:
        loaded = _PlainData(_Counted(data), encoding="bytes").load()
    except Exception as error:  # a damaged pickle can fail in any way
        raise DataError(f"cannot read the python batch {name!r}: {one_line(error)}") from error
    if type(loaded) is not dict:
        raise DataError(f"cannot read the python batch {name!r}: it holds no dict")
    return {key: value.value if isinstance(value, _Array) else value for key, value in loaded.items()}
