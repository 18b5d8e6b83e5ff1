"""Writes files in one step: after a failure, the earlier file is still there, whole.

Every file of llmkit is written here. Must not know what it contains.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path

BESIDE = ".json"  # follows the name of a file in that of its description
PRIVATE_FILE, PRIVATE_FOLDER, USUAL_FILE = 0o600, 0o700, 0o666


def replace_file(
    path: str | Path, data: bytes, *, private: bool = False, description: bytes | None = None
) -> Path:
    """Writes *data* beside *path*, renames it to *path*, and returns the path.

    A link stays a link, and the file behind it is replaced. An existing file keeps its mode and,
    if the system permits it, its owner. A device or a pipe is written directly.

    Args:
        private: True if only the user may read the file.
        description: Content of a second file, which has the name of the file and `.json`. Both are
            written before either is renamed. A device or a pipe has none.

    Raises:
        OSError: The file cannot be written. It is unchanged, and nothing is left beside it.
    """
    path = Path(os.path.expanduser(path))  # Path.expanduser raises RuntimeError for ~stranger
    try:
        earlier = path.stat() if path.exists() else None
        # /dev/stdout may be a regular file that the shell and this process hold open.
        folder = os.path.realpath(path.parent)
        is_descriptor = folder == "/dev" or folder.startswith("/proc/")
        if is_descriptor or (earlier is not None and not stat.S_ISREG(earlier.st_mode)):
            path.write_bytes(data)
        else:
            contents = {path: data}
            if description is not None:  # first, because its name may be that of a folder
                contents = {Path(f"{path}{BESIDE}"): description, **contents}
            _replace(contents, private)
    except OSError as error:
        error.filename = str(path)
        step = "free space if the disk is full"
        if isinstance(error, PermissionError):
            step = "make its folder writable"
        elif isinstance(error, FileNotFoundError | NotADirectoryError | IsADirectoryError):
            step = "name a file in a folder that exists"
        error.add_note(f"the file was not changed; {step}, or choose another path")
        raise
    return path


def make_private_folder(folder: Path, *, ours: bool) -> None:
    """Creates *folder* and its missing parents for the user only.

    If it exists, other users lose their access only if it is *ours*: the user may share the others.
    """
    if not folder.exists():
        make_private_folder(folder.parent, ours=False)
        folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        _set_mode(folder, PRIVATE_FOLDER)
    elif ours and stat.S_IMODE(folder.stat().st_mode) != PRIVATE_FOLDER:
        _set_mode(folder, PRIVATE_FOLDER)


def _replace(contents: Mapping[Path, bytes], private: bool) -> None:
    new = {path: path.with_name(f".{secrets.token_hex(8)}.new") for path in map(_target, contents)}
    try:
        for (target, file), data in zip(new.items(), contents.values(), strict=True):
            _write(file, data, target.stat() if target.exists() else None, private)
        for target, file in new.items():
            file.replace(target)
    except BaseException:  # KeyboardInterrupt too
        for file in new.values():
            file.unlink(missing_ok=True)
        raise


def _target(path: Path) -> Path:
    """Returns the file behind *path*.

    Raises:
        OSError: It must not be written, which a rename would not notice.
    """
    if path.exists():
        path.open("r+b").close()
    return Path(os.path.realpath(path))


def _write(new: Path, data: bytes, earlier: os.stat_result | None, private: bool) -> None:
    mode = PRIVATE_FILE if private or earlier is not None else USUAL_FILE
    with open(new, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    if private:
        _set_mode(new, PRIVATE_FILE)  # the umask may have taken the user's own rights away
    elif earlier is not None:
        _set_owner(new, earlier)
        _set_mode(new, stat.S_IMODE(earlier.st_mode))


def _set_mode(path: Path, mode: int) -> None:
    try:
        path.chmod(mode)
    except OSError:  # a file system without modes
        pass


def _set_owner(path: Path, earlier: os.stat_result) -> None:
    try:
        if hasattr(os, "chown"):  # not on Windows
            os.chown(path, earlier.st_uid, earlier.st_gid)
    except OSError:  # only an administrator can give a file away
        pass
