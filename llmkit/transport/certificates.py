"""The CA certificates that the environment names, as OpenSSL reads them.

Called for each new connection, because a user may set SSL_CERT_FILE after the first failure.
"""

from __future__ import annotations

import os
import ssl
from functools import lru_cache

FILE, FOLDER = "SSL_CERT_FILE", "SSL_CERT_DIR"
# What other tools read instead (their documentation, read 2026-11-30).
OTHERS = (
    "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "AWS_CA_BUNDLE", "PIP_CERT",
    "GIT_SSL_CAINFO",
)  # fmt: skip


def context() -> ssl.SSLContext | None:
    """Returns a context that trusts what the environment names; None if it names nothing."""
    file, folder = os.environ.get(FILE, ""), os.environ.get(FOLDER, "")
    return _context(file, _version(file), folder, _version(folder)) if file or folder else None


def advice() -> str:
    """Returns what to do if no trusted CA has signed a server's certificate."""
    file = os.environ.get(FILE, "")
    if file:
        try:
            ssl.create_default_context(cafile=file)
        except FileNotFoundError:
            return f"{FILE} names a file that does not exist; correct it, and ask again"
        except OSError:  # also ssl.SSLError
            return f"{FILE} names a file that is not readable as PEM; write the CA as PEM to it"
        return f"the CAs in the file of {FILE} did not sign it; add the server's CA to that file"
    other = next((name for name in OTHERS if os.environ.get(name)), "")
    source = f"the file of {other}, which llmkit does not read" if other else "the CA's file"
    return f"if its CA is your own, set {FILE} to {source}, and ask again"


def _version(path: str) -> tuple[int, int]:
    try:
        stat = os.stat(path)
    except OSError:
        return (0, 0)
    return (stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=4)  # making one takes 26 ms of CPU
def _context(*named: object) -> ssl.SSLContext:
    made = ssl.create_default_context()  # OpenSSL reads both variables
    made.set_alpn_protocols(("http/1.1",))
    return made
