"""Functions that misbehave in each way that a sandbox must survive, in a module that a fresh process can import."""

import ctypes
import importlib
import os
import re
import time
from pathlib import Path
from typing import NoReturn

WARMED_UP: list[object] = []


class Unpicklable(Exception):
    """Pickles, but does not unpickle: its `__init__` wants another number of arguments."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(one + other)


class Unreadable(Exception):
    def __str__(self) -> str:
        raise ValueError("no text")


def behave(command: tuple[str, object]) -> object:
    """Misbehaves in the way that its argument names."""
    action, value = command
    if action == "echo":
        return value
    if action == "busy":
        end = time.process_time() + 0.01
        while time.process_time() < end:
            pass
        return value
    if action == "size":
        return len(bytes(value))  # type: ignore[call-overload]
    if action == "import":
        return importlib.import_module("newsbeam.transforms.runtime.dead_letters").DEAD
    if action == "pid":
        return os.getpid()
    if action == "warm up":
        WARMED_UP.append(value)
        return None
    if action == "warmed up":
        return tuple(WARMED_UP)
    if action == "set order":
        return "".join({"reuters", "afp", "dpa", "efe", "ansa", "tass", "xinhua", "kyodo"})
    return _misbehave(action, value)


def _misbehave(action: str, value: object) -> object:
    if action == "reject":
        from newsbeam.transforms.model.errors import Rejected

        raise Rejected("not_a_feed", str(value))
    if action == "raise":
        raise LookupError(value)
    if action == "raise unpicklable":
        raise Unpicklable("a", "b")
    if action == "raise unreadable":
        raise Unreadable
    if action == "loop":
        while True:
            pass
    if action == "loop in C":
        return re.match(r"(a+)+$", "a" * 64 + "b")
    if action == "swallow everything":
        _swallow()
    if action == "sleep":
        if value is not None:
            with Path(str(value)).open("a") as announced:
                announced.write(f"{os.getpid()}\n")
        time.sleep(3600)
    if action == "memory":
        return len([bytes(1 << 20) for _ in range(100_000)])
    if action == "huge result":
        return bytes(int(str(value)))
    if action == "exit":
        os._exit(0)
    if action == "system exit":
        raise SystemExit(3)
    if action == "segfault":
        ctypes.string_at(0)
    if action == "recurse":
        return _misbehave(action, value)
    if action == "leak":
        WARMED_UP.append(bytearray(b"x" * int(str(value))))
        return os.getpid()
    if action == "unpicklable result":
        return lambda: None
    if action == "print":
        print(value)  # noqa: T201 - the point of it
        return value
    raise AssertionError(action)


def _swallow() -> NoReturn:
    while True:
        try:
            while True:
                pass
        except BaseException:  # noqa: S112 - the point of it
            continue


def fail_to_warm_up(_: object) -> NoReturn:
    raise OSError("no model file")
