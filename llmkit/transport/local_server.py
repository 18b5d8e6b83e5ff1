"""Serves one GGUF file over loopback HTTP; runs as a child process of `local_model`.

A child process, because the library holds the GIL while it loads and swallows Ctrl-C while it
streams (measured, xllamacpp 2026.10). Reads its key and options as one JSON line from standard
input, and writes its URL as one JSON line. Ends when standard input closes, which also happens if
the parent is killed.
"""

import json
import sys
from typing import Any

CONTEXT = 4096  # tokens for all slots together
SLOTS = 2
# The limit of a request without max_tokens, because a small model may repeat itself forever.
MOST_TOKENS = 400
# A second thread that waits for a busy core made generation ten times slower (measured).
THREADS = 1


def parameters(options: dict[str, Any]) -> Any:
    """Returns the settings of llama.cpp; *options* has path, key and alias."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = options["path"]
    params.model_alias = {options["alias"]}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [options["key"]]
    params.n_ctx = CONTEXT
    params.n_parallel = SLOTS
    params.n_predict = MOST_TOKENS
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = THREADS
    params.ui = False
    params.endpoint_metrics = True
    return params


def main() -> None:
    """Serves until standard input closes."""
    import xllamacpp

    options = json.loads(sys.stdin.readline())
    server = xllamacpp.Server(parameters(options))
    sys.stdout.write(json.dumps({"url": server.listening_address}) + "\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
