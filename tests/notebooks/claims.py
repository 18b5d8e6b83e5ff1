"""The sentences of each notebook that say what a cell shows, held against that cell's output.

A claim is a quotation of the prose, the id of the cell that it speaks of, the fact in that cell's
output, and its value. No text of a language model is among the values.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import llmkit

from .output import Output


class Claim(NamedTuple):
    """One sentence, and the fact that makes it true.

    Attributes:
        of_the_day: True if it speaks of the day on which the cell runs, such as of models that can
            be called; an output that is stored was made on an earlier day.
    """

    quote: str
    cell: str
    fact: Callable[[Output], Any]
    value: Any
    of_the_day: bool = False


NAMES = 97
SIX = {"openai", "openrouter", "anthropic", "mistral", "ollama", "google"}
GONE = "gpt-3.5-turbo"


def without_index(table: list[dict[str, str]]) -> list[tuple[str, ...]]:
    return [tuple(row.values())[1:] for row in table]


def retired(out: Output) -> list[dict[str, str]]:
    return [row for row in out.table if row["lifecycle"] == "retired"]


def states(out: Output) -> Counter[str]:
    """How many sessions of the table are in each state."""
    return Counter(row["status"].split()[-1] for row in out.table)


def texts_by_seed(out: Output) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for row in out.table:
        found.setdefault(row["seed"], set()).add(row["text"])
    return found


def by_model(out: Output, column: str) -> dict[str, str]:
    return {row["asked"].removeprefix("scripted:"): row[column] for row in out.table}


CLAIMS: dict[str, tuple[Claim, ...]] = {
    "01_first_comparison": (
        Claim("they need no key", "first", lambda out: out.failed_cards, 0),
        Claim("they need no key", "compare", lambda out: out.failed_cards, 0),
        Claim("they need no key", "voices", lambda out: out.failed_cards, 0),
        Claim("names the models", "first", lambda out: out.cards,
              ["local:smollm2", "scripted:openai"]),
        Claim("its answers are labelled `[scripted]`", "first",
              lambda out: out.plain.count("[scripted openai]"), 1),
        Claim("each asked twice, give four answers", "compare", lambda out: len(out.cards), 4),
        Claim("both repeats have the same text at each temperature", "same",
              lambda out: out.series, {"0.0": "1", "1.0": "1"}),
        Claim("Two models and two system prompts give four answers", "voices",
              lambda out: Counter(out.cards), {"local:smollm2": 2, "scripted:openai": 2}),
        Claim("Each answer is a row", "table",
              lambda out: len(out.printed.strip().splitlines()), 1 + 4),
        Claim("the mean of each model", "group", lambda out: out.column("asked"),
              ["local:smollm2", "scripted:openai"]),
        Claim("one row for each model", "plot", lambda out: out.plotted,
              {"local:smollm2": 2, "scripted:openai": 2}),
        Claim("its card says how to set one", "hosted",
              lambda out: [name in out.plain for name in
                           ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "MISTRAL_API_KEY")],
              [True] * 3),
        Claim("has no key is not asked", "hosted-table",
              lambda out: out.column("attempts"), ["0", "0", "0", "1"]),
        Claim("its row has the error class `MissingApiKeyError`", "hosted-table",
              lambda out: out.column("error_type"), ["MissingApiKeyError"] * 3 + ["<NA>"]),
        Claim("the embedded model answers in any case", "hosted-table",
              lambda out: out.column("status")[3] in ("complete", "length"), True),
    ),
    "02_one_name_six_providers": (
        Claim("at each of six providers", "row", lambda out: set(ast.literal_eval(out.plain)), SIX),
        Claim("At least half of these ids are retired", "today",
              lambda out: (len(out.table), len(retired(out)) >= 3), (6, True)),
        Claim("For each retired id, `today` is another one", "today",
              lambda out: [row["then"] for row in retired(out)
                           if row["today"] in (row["then"], "None")], []),
        Claim("by which rule it was found", "today",
              lambda out: [row for row in out.table if row["rule"] == "None"], []),
        Claim("with the source and the day on which it was read", "why",
              lambda out: [bool(re.search(form, out.printed)) for form in
                           ("claude-instant-1.2", r"read \d{4}-\d\d-\d\d", "https://")],
              [True] * 3),
        Claim("97 standard names", "models",
              lambda _: len(llmkit.MODEL_NAME_MAPPING["standard"]), NAMES),
        Claim("The filter chooses names", "models",
              lambda out: {line.split()[0] for line in out.plain.splitlines()[3:]
                           if line[:1].strip()} >= {"claude-3-haiku", "claude-haiku-5.5"}
              and "llama-3-8b" not in out.plain, True),
        Claim("each is listed once", "vision",
              lambda out: max(Counter(out.column("id")).values()), 1),
        Claim("take images and can be called today", "vision",
              lambda out: [name for name in out.column("id") if name not in {
                  row["live"] for row in llmkit.models(
                      capability="vision", provider="google", alive=True)}], [], of_the_day=True),
        Claim("A misspelled name is an error with suggestions", "slip",
              lambda out: "claude-haiku-5-5" in out.printed, True),
        Claim("only the embedded model answers", "everywhere", lambda out: out.cards,
              ["local:smollm2"]),
        Claim("an **error row**", "gone", lambda out: without_index(out.table)[0][:5],
              (GONE, "openai", GONE, "retired", "error")),
        Claim("names the model to ask instead", "gone",
              lambda out: str(llmkit.resolve(GONE, provider="openai").live) in out.plain, True,
              of_the_day=True),
        Claim("the other answers are kept", "gone", lambda out: out.column("status"),
              ["error", "complete"]),
        Claim("another model may answer: here a scripted one", "allow",
              lambda out: without_index(out.table)[0][:3], (GONE, "scripted", "openai")),
        Claim("The row is marked as `substituted`", "allow",
              lambda out: out.column("substituted"), ["True"]),
        Claim("`fallback` records the step", "allow",
              lambda out: out.column("fallback")[0].split(" (")[0],
              f"openai:{GONE} → scripted:openai"),
    ),
    "03_sessions_and_reruns": (
        Claim("no more than three are open", "table", states, {"open": 3, "closed": 3}),
        Claim("Each run closes the sessions of the previous run", "frame",
              lambda out: out.column("closed_by"), ["rerun"] * 3 + ["<NA>"] * 3),
        Claim("with the cell that owns each session", "frame",
              lambda out: len(set(out.column("execution_count"))), 2),
        Claim("is open inside its block and closed after it", "own",
              lambda out: out.printed.split(), ["False", "True"]),
        Claim("llmkit's own connections are in the same table", "after",
              lambda out: [row["kind"] for row in out.table if row["provider"] == "ollama"],
              ["temporary"]),
        Claim("`close` takes a provider", "close", lambda out: "1" in out.printed, True),
        Claim("one of the three is closed", "after",
              lambda out: {row["provider"] for row in out.table if "open" in row["status"]},
              {"yours", "ours"}),
        Claim("aiohttp warns of an unclosed client session", "forget",
              lambda out: "Unclosed client session" in out.warned, True),
        Claim("Here it lists none", "leaks", lambda out: re.findall(r"\bs\d+\b", out.plain), []),
    ),
    "04_signing_in_and_failing_well": (
        Claim("A provider without a key is not asked", "auth",
              lambda out: re.findall(r"no key +(\w+) +– +– +– +–", out.plain),
              ["openai", "anthropic", "google", "mistral", "openrouter"]),
        Claim("the state is *unreachable*", "down", lambda out: "unreachable" in out.printed, True),
        Claim("after three attempts", "down",
              lambda out: re.findall(r"attempt (\d)/3", out.warned), ["2", "3"]),
        Claim("the key was not refused", "down", lambda out: "rejected" in out.printed, False),
        Claim("Four models that fail, and one that does not", "rows",
              lambda out: [status == "complete" for status in out.column("status")],
              [False] * 4 + [True]),
        Claim("played by models of the provider `scripted`", "play",
              lambda out: {name.split(":")[0] for name in out.cards}, {"scripted"}),
        Claim("were asked twice (`retries=1`)", "rows", lambda out: by_model(out, "attempts"),
              {"busy": "2", "broken": "2", "torn": "1", "lost": "1", "echo": "1"}),
        Claim("Nothing was billed", "rows", lambda out: by_model(out, "possibly_billed"),
              dict.fromkeys(("busy", "broken", "torn", "lost", "echo"), "False")),
        Claim("their status is `truncated`, never `complete`", "rows",
              lambda out: by_model(out, "status"),
              {"busy": "error", "broken": "error", "torn": "truncated", "lost": "truncated",
               "echo": "complete"}),
        Claim("Their text is kept", "rows",
              lambda out: {name: bool(text) for name, text in by_model(out, "text").items()},
              {"busy": False, "broken": False, "torn": True, "lost": True, "echo": True}),
        Claim("The error holds the text that had arrived", "ask",
              lambda out: bool(re.search(r"^kept: 'Once upon a time.+'$", out.printed, re.M)),
              True),
    ),
    "05_a_fair_comparison": (
        Claim("a list of four names", "who", lambda out: ast.literal_eval(out.plain),
              ["scripted:openai", "scripted:anthropic", "scripted:mistral", "local:smollm2"]),
        Claim("4 models x 2 temperatures x 3 repeats are 24 answers", "run",
              lambda out: out.plain.rstrip().splitlines()[-1], "24"),
        Claim("a scripted model with the label `[scripted]`", "run",
              lambda out: len(re.findall(r"\[scripted \w+\]", out.plain)), 18),
        Claim("they wait for each other, and the view says so", "run",
              lambda out: "Waiting for a turn is in waited_s" in out.plain, True),
        Claim("for each model and temperature", "spread",
              lambda out: [set(row) for row in out.table], [{"request_model", "0.0", "1.0"}] * 4),
        Claim("At temperature 0, repeats should agree", "spread", lambda out: out.column("0.0"),
              ["1"] * 4),
        Claim("Median, minimum and maximum of four measures", "numbers",
              lambda out: len(out.table), 4 * 3),
        Claim("scripted models cost 0", "numbers",
              lambda out: re.findall(r"^cost_usd +median +(.+)$", out.plain, re.M)[0].split(),
              ["0.0"] * 4),
        Claim("one row for each of the four models, over the same answers", "plot",
              lambda out: list(out.plotted.values()), [6] * 4),
        Claim("One line for each model", "check",
              lambda out: [(row["substituted"], row["rerouted"]) for row in out.table],
              [("False", "False")] * 4),
        Claim("`llmkit.load` restores the comparison", "keep",
              lambda out: ast.literal_eval(out.plain)[0], 24),
        Claim("the catalogue's date", "keep",
              lambda out: bool(re.fullmatch(r"\d{4}-\d\d-\d\d", ast.literal_eval(out.plain)[1])),
              True),
    ),
    "06_class_exercise": (
        Claim("at temperatures 0, 0.7 and 1.5, four times each", "t1-solution",
              lambda out: (len(out.cards), list(out.series)), (12, ["0.0", "0.7", "1.5"])),
        Claim("How many different answers are there", "t1-solution",
              lambda out: out.series["0.0"], "1"),
        Claim("the same seed gives the same text", "t2-solution",
              lambda out: [len(texts) for texts in texts_by_seed(out).values()], [1, 1]),
        Claim("another seed gives another text", "t2-solution",
              lambda out: len(set.union(*texts_by_seed(out).values())), 2),
        Claim("What does the column `finish_reason` say?", "t3-solution",
              lambda out: re.findall(r"^ 0 .* (\w+)[,)]$", out.plain, re.M), ["stop", "length"]),
        Claim("the same thing in three wordings", "t4-solution",
              lambda out: [len(row) for row in out.table], [1 + 2] * 3),
        Claim("a scripted model, labelled `[scripted]`", "t4-solution",
              lambda out: out.plain.count("[scripted anthropic]"), 3),
        Claim("ten times at temperature 1", "t5-solution", lambda out: len(out.cards), 10),
        Claim("How often is the model right?", "t5-solution",
              lambda out: 0 <= float(re.findall(r"float64\(([\d.]+)\)", out.plain)[0]) <= 1, True),
    ),
    "07_bring_your_own_server": (
        Claim("written in a cell of this notebook", "server",
              lambda out: bool(re.fullmatch(r"'http://127.0.0.1:\d+/v1'", out.plain)), True),
        Claim("answers with the prompt in capitals", "add",
              lambda out: out.plain.count("HELLO THERE"), 1),
        Claim("models that you serve yourself", "add", lambda out: out.cards,
              ["shouter:loud-1", "local:smollm2"]),
        Claim("its cost is unknown", "add", lambda out: out.plain.count("cost unknown"), 1),
        Claim("serves that file with the embedded llama.cpp", "gguf",
              lambda out: re.findall(r"Status\.(?:COMPLETE|LENGTH)\b", out.plain) != [], True),
        Claim("If it does not run, the status says so", "ollama",
              lambda out: "not running" in out.printed, True),
        Claim("the next cell does nothing", "ollama-models", lambda out: out.count, 0),
    ),
    "check_front_end": (
        Claim("a table with lines and aligned columns", "html",
              lambda out: len(out.table) > 3, True),
        Claim("two answers are complete", "stream",
              lambda out: out.plain.count(" · complete"), 2),
        Claim("ends in the middle and is marked as cut off", "stream",
              lambda out: ("cut off" in out.plain, out.plain.count("word30"),
                           out.plain.count("word31")), (True, 2, 1)),
        Claim("a heading, a table, a block of code", "stream",
              lambda out: [sign in out.plain for sign in ("## A heading", "| banana |", "```")],
              [True] * 3),
        Claim("grow word by word in one card", "ask",
              lambda out: out.plain.count("word60"), 1),
        Claim("If you do nothing, all sixty words arrive", "stop",
              lambda out: out.plain.count("word60"), 1),
        Claim("one row for each of twelve prompts and one column for each of two models", "many",
              lambda out: (len(out.table), out.html.count('class="lk-cell"')), (12, 24)),
        Claim("one row for each model", "plot", lambda out: list(out.plotted.values()), [12, 12]),
        Claim("a sentence instead of the form", "panel",
              lambda out: "no comparison has run yet" in out.plain.lower(), True),
        Claim("no name of yours, and no key", "report",
              lambda out: re.findall(r"[/\\\\]\w+[/\\\\]|sk-", out.printed), []),
        Claim("put an `x` between the brackets of each step", "report",
              lambda out: out.printed.count("- [ ] ") > 10, True),
    ),
}  # fmt: skip
