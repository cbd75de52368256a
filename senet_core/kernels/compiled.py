"""Compile a C++ source at first use and keep the library in a cache.

The library has a plain C interface and is called through ctypes: no header of PyTorch is needed, compiling takes
seconds instead of a minute, and another torch can still call it. Code for one processor may not run on another, so
the name of the file has processor, compiler, torch and source in it.
"""

from __future__ import annotations

import atexit
import ctypes
import hashlib
import logging
import os
import platform
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import torch
from filelock import FileLock, Timeout

from senet_core.kernels.trust import is_noted, note, why_untrusted

log = logging.getLogger(__name__)

FLAGS = ("-O3", "-std=c++17", "-shared", "-fPIC", "-pthread", "-Wno-psabi")
COMPILE_SECONDS = 300.0
_POINTER, _LONG, _DOUBLE = ctypes.c_void_p, ctypes.c_int64, ctypes.c_double
_TYPES = {"p": _POINTER, "l": _LONG, "d": _DOUBLE}


class CannotCompile(RuntimeError):
    """Why a library cannot be had on this machine, in one line."""


def load(source: Path, signatures: Mapping[str, str]) -> ctypes.CDLL:
    """Return the library of a C++ source, compiled by the first process that asks for it on a machine.

    Args:
        source: the file.
        signatures: its functions' names to their arguments, a letter each: p for a pointer, l for int64_t, d for
            double. None returns a value.

    Raises:
        CannotCompile: there is no compiler, it fails, or no folder can be written.
    """
    compiler = find_compiler()
    path = cache_folder() / f"{source.stem}-{_key(source, compiler)}.so"
    try:
        path = _own_folder(path.parent) / path.name
        if not is_noted(path):
            with FileLock(path.with_suffix(".lock"), timeout=COMPILE_SECONDS):
                if not is_noted(path):
                    _renew(source, compiler, path)
        return _declared(ctypes.CDLL(str(path)), signatures)
    except (OSError, AttributeError, Timeout, subprocess.SubprocessError) as error:
        raise CannotCompile(f"{path} cannot be made or read: {error}") from error


def why_none(library: Callable[[], ctypes.CDLL]) -> str:
    """Return why a library cannot be had on this machine, in one line; empty where it can."""
    try:
        library()
    except CannotCompile as error:
        return str(error)
    return ""


def find_compiler() -> tuple[str, ...]:
    """Return the words that call the C++ compiler: those of the variable CXX, else the first of g++, clang++ and c++.

    CXX may have a program before the compiler and flags after it, as in `CXX="ccache g++ -m64"`.

    Raises:
        CannotCompile: there is none.
    """
    try:
        named = shlex.split(os.environ.get("CXX", ""))
    except ValueError:  # a quotation mark that is not closed
        named = []
    for words in (named, ["g++"], ["clang++"], ["c++"]):
        found = shutil.which(words[0]) if words else None
        if found is not None:
            return (found, *words[1:])
    raise CannotCompile("there is no C++ compiler (g++ or clang++)")


def cache_folder() -> Path:
    """Return where compiled libraries are kept: ABLATE_CACHE_DIR, else the user's cache folder."""
    given = os.environ.get("ABLATE_CACHE_DIR")
    user = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    try:
        return Path(given) if given else Path(user).expanduser() / "senet-ablations"
    except RuntimeError as error:
        raise CannotCompile(
            "there is no home folder for what is compiled; ABLATE_CACHE_DIR names another"
        ) from error


def _own_folder(folder: Path) -> Path:
    """Return the folder, made where needed, or one in its place that other users cannot write to."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    why = why_untrusted(folder)
    if not why:
        return folder
    own = Path(tempfile.gettempdir()) / f"senet-ablations-kernels-{os.geteuid()}"
    own.mkdir(mode=0o700, exist_ok=True)
    if own.is_symlink() or why_untrusted(own):  # another user was here first
        own = _folder_of_this_process()
    log.warning("nothing is loaded from %s: %s; compiled kernels are kept in %s", folder, why, own)
    return own


@lru_cache(maxsize=1)
def _folder_of_this_process() -> Path:
    made = Path(tempfile.mkdtemp(prefix="senet-ablations-kernels-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


def _renew(source: Path, compiler: tuple[str, ...], path: Path) -> None:
    """Compile a library and try it; the caller holds its lock, so that drafts of the same name are of the dead."""
    for draft in path.parent.glob(f"{path.stem}.draft-*"):
        shutil.rmtree(draft, ignore_errors=True)
    if path.is_dir() and not path.is_symlink():
        raise CannotCompile(f"{path} is a folder; remove it")
    _compile(source, compiler, path)
    why = note(path)
    if why:
        raise CannotCompile(f"{path} was compiled and cannot be loaded: {why}")


def _key(source: Path, compiler: tuple[str, ...]) -> str:
    digest = hashlib.sha256(source.read_bytes())
    for part in (_version(compiler), *compiler[1:], _processor(), torch.__version__, *FLAGS):
        digest.update(f"\0{part}".encode())
    return digest.hexdigest()[:20]


@lru_cache(maxsize=4)
def _version(compiler: tuple[str, ...]) -> str:
    try:
        done = _run(*compiler, "--version", seconds=30)
        done.check_returncode()
    except (OSError, subprocess.SubprocessError) as error:
        raise CannotCompile(f"the compiler {' '.join(compiler)} does not run: {error}") from error
    return done.stdout


def _run(*words: str, seconds: float) -> subprocess.CompletedProcess[str]:
    """Run the compiler, which speaks English and may quote file names in any encoding.

    It has a group of its own: a signal to ours must not look like a compiler that fails, and the processes that it
    starts end with it.
    """
    with subprocess.Popen(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, "LC_ALL": "C"},
        start_new_session=True,
    ) as process:
        try:
            out, err = process.communicate(timeout=seconds)
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise
    return subprocess.CompletedProcess(words, process.returncode, out, err)


def _processor() -> str:
    """Return what identifies the processor's instruction set."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    wanted = ("vendor_id", "cpu family", "model", "model name", "flags", "Features", "CPU part")
    named = {line.partition(":")[0].strip(): line for line in reversed(lines)}
    return "\n".join([platform.machine(), *(named[name] for name in wanted if name in named)])


def _compile(source: Path, compiler: tuple[str, ...], path: Path) -> None:
    """Compile for this processor, or, where the compiler does not know it, for any of its kind."""
    with tempfile.TemporaryDirectory(prefix=f"{path.stem}.draft-", dir=path.parent) as folder:
        made = Path(folder) / path.name
        for target in (("-march=native",), ("-mcpu=native",), ()):
            words = (*compiler, *FLAGS, *target, str(source), "-o", str(made))
            done = _run(*words, seconds=COMPILE_SECONDS)
            if done.returncode == 0:
                made.chmod(0o700)
                made.replace(path)  # whole or not at all, whoever else is compiling
                return
    lines = [line for line in done.stderr.splitlines() if "error" in line] or ["it failed without a word"]
    raise CannotCompile(f"{Path(compiler[0]).name} cannot compile {source.name}: {lines[0]}")


def _declared(library: ctypes.CDLL, signatures: Mapping[str, str]) -> ctypes.CDLL:
    for name, signature in signatures.items():
        function = getattr(library, name)
        function.argtypes, function.restype = [_TYPES[kind] for kind in signature], None
    return library
