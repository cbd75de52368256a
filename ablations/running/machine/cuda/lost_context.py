"""CUDA contexts that are lost: after some errors a process can compute nothing on its GPU any more."""

from __future__ import annotations

from collections.abc import Iterator

_SAYS_SO = (
    "cuda error",
    "cudnn error",
    "cublas_status",
    "cudnn_status",
    "device-side assert",
    "illegal memory access",
    "unspecified launch failure",
)
_MEMORY = "out of memory"

_first_error = ""  # of this process


def loses_context(error: BaseException) -> bool:
    """Return whether an error, or one that it came from, is CUDA's: the process's context may be lost with it.

    Some such errors leave the context as it was; to tell these apart is not worth a trial, and a new process costs
    seconds. Too little memory is not among them.
    """
    return any(_is_cudas(one) for one in _chain(error))


def note_lost_context(error: BaseException) -> None:
    """Remember that this process lost its context, if the error says so."""
    global _first_error
    if not _first_error and loses_context(error):
        _first_error = (str(error).splitlines() or [""])[0]


def lost_by() -> str:
    """Return the error by which this process lost its context, in one line; empty where it has not."""
    return _first_error


def _is_cudas(error: BaseException) -> bool:
    text = str(error).lower()
    if _MEMORY in text:
        return False
    accelerator = any(
        kind.__name__ == "AcceleratorError" for kind in type(error).__mro__
    )  # from torch 2.8 on
    return accelerator or (isinstance(error, RuntimeError) and any(words in text for words in _SAYS_SO))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
