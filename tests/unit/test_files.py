"""A file is replaced in one step, whatever happens while it is written."""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from llmkit.comparison.result import Comparison
from llmkit.configuration import files
from llmkit.configuration.files import replace_file
from llmkit.configuration.model_list_cache import ModelListCache, usual_folder
from tests.mutations import LIST
from tests.unit.rows import plain, row
from tools.layout import MODULES, PACKAGE

POSIX = pytest.mark.skipif(os.name != "posix", reason="modes and devices of POSIX")
STRANGER = 65534
RUN = Comparison([row(), plain(1)], {"run_id": "r1"})
WRITERS = {
    "json": RUN.to_json, "csv": RUN.to_csv, "html": RUN.to_html, "parquet": RUN.to_parquet,
    "excel": RUN.to_excel,
    "list": lambda path: ModelListCache(lambda: path.parent.parent).write(LIST),
}  # fmt: skip


@contextmanager
def no_space():
    """Lets every file end after 100 bytes, as on a full disk."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def umask(mask):
    """Sets the umask of the process for a moment."""
    earlier = os.umask(mask)
    try:
        yield
    finally:
        os.umask(earlier)


@contextmanager
def as_a_user():
    """Gives up root's right to write everywhere; yields a folder of the user."""
    with tempfile.TemporaryDirectory() as name:
        is_root = os.geteuid() == 0
        if is_root:
            os.chown(name, STRANGER, STRANGER)
            os.seteuid(STRANGER)
        try:
            yield Path(name)
        finally:
            os.chmod(name, 0o700)
            if is_root:
                os.seteuid(0)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@POSIX
@pytest.mark.parametrize("kind", WRITERS)
def test_a_full_disk_leaves_the_earlier_file(tmp_path, kind):
    """The error names the file, and no half file is left beside it."""
    cache = ModelListCache(lambda: tmp_path)
    cache.write(LIST)
    (path,) = (tmp_path / "models").iterdir()
    path = path.rename(path.with_suffix({"csv": ".csv", "excel": ".xlsx"}.get(kind, ".json")))
    path.write_bytes(b"earlier")
    WRITERS["parquet"](tmp_path / "first.parquet")  # imports what it needs

    with no_space(), pytest.raises(OSError, match="File too large") as caught:
        WRITERS[kind](path)

    assert path.read_bytes() == b"earlier"
    assert os.listdir(path.parent) == [path.name]
    assert (caught.value.errno, caught.value.filename) == (errno.EFBIG, str(path))
    assert "was not changed" in caught.value.__notes__[0]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # an unclosed file
def test_an_interrupt_at_any_line_leaves_one_whole_file(tmp_path):
    """It is the earlier one or the new one, and nothing is left beside it."""
    path, contents, line = tmp_path / "run.json", set(), 0
    is_interrupted = True
    while is_interrupted:
        path.write_bytes(b"earlier")
        line += 1
        is_interrupted = _interrupted_at(line, lambda: replace_file(path, b"new"))
        contents.add(path.read_bytes())
        assert os.listdir(tmp_path) == [path.name]

    assert contents == {b"earlier", b"new"}
    assert line > 20


def _interrupted_at(number, action):
    """Returns True if *action* runs at least *number* lines of the module, and ends there."""
    lines = 0

    def trace(frame, event, argument):
        nonlocal lines
        if frame.f_code.co_filename != files.__file__:
            return None
        if event == "line":
            lines += 1
            if lines == number:
                raise KeyboardInterrupt
        return trace

    earlier = sys.gettrace()
    sys.settrace(trace)
    try:
        action()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(earlier)
    return False


def test_a_description_is_replaced_together_with_its_file(tmp_path):
    """If one of them cannot be written, both stay as they were."""
    path, beside = tmp_path / "run.csv", tmp_path / "run.csv.json"
    replace_file(path, b"old", description=b"old")
    with no_space(), pytest.raises(OSError, match="File too large"):
        replace_file(path, b"x" * 1000, description=b"new")
    after_a_failure = path.read_bytes(), beside.read_bytes(), len(os.listdir(tmp_path))

    replace_file(path, b"new", description=b"new")
    beside.unlink()
    beside.mkdir()
    with pytest.raises(OSError, match=r"run\.csv"):
        replace_file(path, b"newest", description=b"newest")

    assert after_a_failure == (b"old", b"old", 2)
    assert (path.read_bytes(), len(os.listdir(tmp_path))) == (b"new", 2)


@POSIX
def test_a_device_has_no_description(capfd):
    """A CSV that is written to the standard output is only that."""
    RUN.to_csv("/dev/stdout")

    assert capfd.readouterr().out.startswith('"prompt","asked"')
    assert not Path("/dev/stdout.json").exists()


@POSIX
def test_a_link_stays_a_link_and_modes_stay(tmp_path):
    """The file behind it is replaced, in its own folder."""
    (tmp_path / "far").mkdir()
    target, link = tmp_path / "far" / "run.json", tmp_path / "link.json"
    target.write_text("earlier")
    target.chmod(0o640)
    link.symlink_to(target)
    (tmp_path / "dangling").symlink_to(tmp_path / "far" / "later.json")

    with umask(0o077):
        path = replace_file(link, b"new")
        replace_file(tmp_path / "dangling", b"later")

    assert (path, link.is_symlink(), target.read_bytes()) == (link, True, b"new")
    assert mode(target) == 0o640
    assert sorted(os.listdir(tmp_path / "far")) == ["later.json", "run.json"]


@POSIX
def test_a_new_file_has_the_mode_of_the_umask(tmp_path):
    """A comparison is the user's file, like one of any editor."""
    with umask(0o027):
        path = replace_file(tmp_path / "run.json", b"new")

    assert mode(path) == 0o640


@POSIX
def test_a_device_and_a_pipe_are_written_directly(tmp_path):
    """They stay what they are, and a full device is reported."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        replace_file(pipe, b"through the pipe")
        received = os.read(reader, 100)
    finally:
        os.close(reader)

    assert received == b"through the pipe"
    assert os.listdir(tmp_path) == ["pipe"]
    assert replace_file(os.devnull, b"x") == Path(os.devnull)
    if Path("/dev/full").exists():
        with pytest.raises(OSError, match="No space left on device: '/dev/full'"):
            replace_file("/dev/full", b"x")


@POSIX
@pytest.mark.parametrize(("folder_mode", "file_mode"), [(0o500, 0o600), (0o700, 0o400)])
def test_a_file_or_folder_that_must_not_be_written_is_refused(folder_mode, file_mode):
    """A rename needs the folder's permission, and must not go around that of the file."""
    with as_a_user() as folder:
        path = folder / "run.json"
        path.write_bytes(b"earlier")
        path.chmod(file_mode)
        folder.chmod(folder_mode)
        with pytest.raises(PermissionError) as caught:
            replace_file(path, b"new")
        left = path.read_bytes()

    assert left == b"earlier"
    assert caught.value.filename == str(path)
    assert "make its folder writable, or choose another path" in caught.value.__notes__[0]


@POSIX
@pytest.mark.parametrize("mask", [0, 0o077, 0o277])
def test_the_cache_is_only_the_users(tmp_path, monkeypatch, mask):
    """Folders of ours are 0700 and files 0600, whatever the umask and the earlier modes."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home" / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))  # macOS has no XDG_CACHE_HOME
    (tmp_path / "home").mkdir()
    cache = ModelListCache(usual_folder)

    with umask(mask):
        cache.write(LIST)
    ours = usual_folder()
    (path,) = (ours / "models").iterdir()
    made = [mode(place) for place in (ours, ours / "models", path)]
    for place in (ours, ours / "models", path):
        place.chmod(0o755)
    cache.write(LIST)

    assert made == [0o700, 0o700, 0o600]
    assert [mode(place) for place in (ours, ours / "models", path)] == made


@POSIX
def test_a_folder_that_the_user_chose_keeps_its_mode(tmp_path):
    """The user may share it; only what is created in it is private."""
    for folder in (tmp_path / "shared", tmp_path / "shared" / "models"):
        folder.mkdir()
        folder.chmod(0o775)

    ModelListCache(lambda: tmp_path / "shared").write(LIST)
    ModelListCache(lambda: tmp_path / "new" / "cache").write(LIST)

    assert [mode(tmp_path / name) for name in ("shared", "shared/models")] == [0o775, 0o775]
    assert [mode(tmp_path / name) for name in ("new", "new/cache", "new/cache/models")] == [
        0o700, 0o700, 0o700,
    ]  # fmt: skip


DIRECT = re.compile(
    r"\b(write_(text|bytes)|mkdir|makedirs|chmod|touch|mkstemp|mkdtemp|NamedTemporaryFile"
    r"|TemporaryDirectory|copyfile|copy2|copytree|symlink_to|to_(feather|pickle|hdf)"
    r"|json\.dump|os\.(open|rename|replace))\("
    r"""|\bopen\(.*["'][rb]*[wax+]"""
    # Without a path, to_csv and to_html return a text; figures and tables may be written to memory.
    # The user's own call of a frame's to_excel goes to that of pandas.
    r"|\.to_excel\((?!writer|_for_excel)"
    r"|\.to_(csv|html|json|parquet)\((?!\)|index=)|savefig\((?!buffer)|write_table\((?!table)"
)


@pytest.mark.parametrize(
    "line",
    ["path.write_text(x)", "open(path, 'w')", 'path.open("xb")', "frame.to_csv(path)",
     "frame.to_excel(path)", "figure.savefig(path)", "json.dump(x, file)",
     "os.open(path, flags)", "folder.mkdir()"],
)  # fmt: skip
def test_a_direct_write_is_recognised(line):
    """The next test can fail."""
    assert DIRECT.search(line)


def test_one_module_writes_files():
    """No other module opens a file for writing, creates a folder or changes a mode."""
    direct = [
        f"{path.relative_to(PACKAGE)}:{number}: {line.strip()}"
        for path in MODULES
        if path != PACKAGE / "configuration" / "files.py"
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if DIRECT.search(line)
    ]

    assert direct == []
