"""Holders: which process owns a lease, a file or a run, told apart from any other process of any machine or container.

A process number is no name. Two containers may have one host name, and each its own process 7; a number is given
anew when its process has ended; machines that are copies of one image share more than that.
"""

from __future__ import annotations

import json
import os
import socket
import uuid
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path

from senet_core.errors import printable

MOST_PID = 2**31 - 1


@dataclass(frozen=True)
class Holder:
    """A process.

    Attributes:
        host: the machine's name.
        boot: identifies the machine's present run; empty where the system does not say.
        pid: its number, from 1.
        start: when it started, in the system's own ticks since boot; 0 where unknown.
        namespace: in which its number holds, as a container has its own; empty where the system does not say.
        token: a random name that no other process has; empty in what an earlier version wrote.
    """

    host: str
    boot: str
    pid: int
    start: int
    namespace: str = ""
    token: str = ""

    @classmethod
    def this_process(cls) -> Holder:
        """Describe the process that asks."""
        start = process_start(os.getpid())
        return cls(socket.gethostname(), _boot(), os.getpid(), start, _namespace(), _token())

    @classmethod
    def from_text(cls, text: str) -> Holder:
        """Read what `to_text` wrote, anywhere and by any version.

        Raises:
            ValueError: it is nothing of the kind.
        """
        try:
            content = json.loads(text)
            known = {field.name: content[field.name] for field in fields(cls) if field.name in content}
            holder = cls(**known)
        except (KeyError, TypeError, RecursionError) as error:
            raise ValueError(f"no holder: {error}") from error
        texts = (holder.host, holder.boot, holder.namespace, holder.token)
        if not all(isinstance(value, str) for value in texts):
            raise ValueError("no holder: a name is no text")
        if type(holder.pid) is not int or not 0 < holder.pid <= MOST_PID or type(holder.start) is not int:
            raise ValueError("no holder: a number is none")
        return holder

    def to_text(self) -> str:
        """Return the holder as one line of JSON."""
        return json.dumps(asdict(self))

    def is_near(self) -> bool:
        """Return whether its number means here what it means to itself, so that this process can see it live or end.

        That takes the same run of one machine, the same namespace of process numbers, and the same host name.
        """
        here = (socket.gethostname(), _boot(), _namespace())
        return all(here) and here == (self.host, self.boot, self.namespace)

    def is_dead(self) -> bool:
        """Return whether the holder is known to be gone; False where that cannot be known from here."""
        if not self.is_near():
            return False
        if not process_exists(self.pid):
            return True
        start = process_start(self.pid)
        return 0 not in (start, self.start) and start != self.start

    def __str__(self) -> str:
        return f"process {self.pid} on {printable(self.host)}"


def process_start(pid: int) -> int:
    """Return when a process started, in ticks since boot; 0 where the system does not say."""
    values = _stat(pid)
    return int(values[19]) if values else 0


def process_exists(pid: int) -> bool:
    """Return whether a process of this machine has that number and lives.

    One that ended and that its parent has not asked for yet (a zombie) does not: in a container whose first process
    asks for nobody, it would keep its number for ever.
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    values = _stat(pid)
    return not values or values[0] not in "ZX"


def _stat(pid: int) -> list[str]:
    """Return what the system says of a process, from its state on; nothing where it does not say."""
    if not _namespace():
        return []
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _namespace() -> str:
    """Return the name of this process's namespace of numbers; "" where /proc is missing, or is of another one."""
    try:
        return os.readlink("/proc/self/ns/pid") if os.readlink("/proc/self") == str(os.getpid()) else ""
    except OSError:
        return ""


@cache
def _token() -> str:
    return uuid.uuid4().hex


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_token.cache_clear)  # the child is another process
