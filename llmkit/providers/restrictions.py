"""Recognises by its words an error about a model that exists, but not for this account or request.

Called by `error_bodies`, with words in lower case.
"""

from __future__ import annotations

import re

# A gateway has the model, but the account or the request excludes all its endpoints. OpenRouter:
# https://github.com/slomin/sai/issues/115, https://github.com/truefoundry/models/pull/826,
# https://github.com/agent0ai/agent-zero/issues/1255, https://github.com/dnakov/anon-kode/issues/2,
# https://github.com/Shirochi-stack/Glossarion/issues/36, https://openrouter.ai/docs/api/errors.
# Hugging Face: https://github.com/cline/cline/issues/5098 (all read 2026-11-30).
# "No endpoints found for NAME" is none of them: that model is gone.
_EXCLUDED = re.compile(
    r"\b(?:no|0) (?:\w+ ){0,2}(?:endpoint|provider)s?\b[^.;]{0,60}?"
    r"\b(?:(?:match|compl|meet|satisf)\w* (?:with )?(?:your|the req)"
    r"|that (?:can|match|support|allow|compl|meet|satisf))"
    r"|\b(?:no|0) (?:\w+ ){0,2}(?:endpoint|provider)s?\b[^;]{0,80}?"
    r"\b(?:requested (?:provider|region|quanti|parameter)|max[ _]price)"
    r"|\b(?:no|0|all) (?:\w+ ){0,2}(?:endpoint|provider)s?\b[^.;]{0,60}? (?:by|under|with) your "
    r"(?!(?:api )?key)"
    r"|\b(?:by|under|with|violates?|match(?:es|ing)?) (?:your|the|this) (?:[\w'’]+ ){0,2}"
    r"(?:data policy|privacy settings?|guardrails?)\b"
    r"|\bno allowed providers are available|\bproviders have been ignored"
    r"|\bnot supported by any provider you have enabled"
    r"|\bno\b[^.;]{0,60}\b(?:zdr|zero[- ]data[- ]retention)\b"
)
# Pages of OpenRouter on which the account changes it, such as a confirmed age or a maker's key.
# Its messages link to them, as quoted in public logs (read 2026-11-30). The page of a key's budget
# is not among them.
_SETTINGS = re.compile(
    r"openrouter\.ai/(?:settings/(?:privacy|preferences|integrations)"
    r"|workspaces/[\w-]+/(?:guardrails|byok|routing))"
)
# What excludes them, and where to change it; the last rows are for any other restriction.
_WAYS_OUT = (
    (
        re.compile(r"data policy|guardrail|privacy|\bzdr\b|data[- ]retention|training"),
        "change the account's data policy or guardrails{page}",
    ),
    (
        re.compile(r"allowed providers|provider\.\w|ignored|you have enabled"),
        "allow one of its providers in the account's settings{page}, or in the request",
    ),
    (_SETTINGS, "change that setting of the account"),
    (re.compile(""), "leave out what it names, or use a model that supports it"),
)
# Statuses are 400, 401, 403 and 404: https://github.com/openai/openai-go/issues/565,
# https://github.com/cursor/cursor/issues/2953, https://github.com/BerriAI/litellm/pull/39660,
# https://github.com/truefoundry/models/pull/934 (Bedrock), https://console.groq.com/docs/errors,
# Volcengine's code ModelNotOpen (all read 2026-11-30).
_DENIED = re.compile(
    r"must be verified to use|requires terms acceptance|not activated the model"
    r"|use[- ]case (?:form|details have not)|blocked at the \w+ level|no access to model"
    r"|n[o']t (?:allowed|authori[sz]ed|permitted) to (?:access|use|call) (?:\w+ )?model"
    r"|n[o']t have (?:access|permission) to (?:\w+ )?model"
    r"|not (?:available|enabled|accessible) (?:for|to|in|on) (?:this|your|the) (?:\w+ )?"
    r"(?:key|account|plan|tier|org\w*|project|workspace|team|region|country|subscription)"
)
# Many servers do not say which of the two it is. Google tells it of models that end soon:
# https://github.com/goruck/home-generative-agent/issues/575 (read 2026-11-30).
_PERHAPS_DENIED = re.compile(
    r"(?:not (?:exist|found)|unknown|invalid).{0,80}\bor\b.{0,80}\b(?:access|permi|authori[sz])"
    r"|\b(?:access|permi\w+).{0,80}\bor\b.{0,80}not (?:exist|found)|\binaccessible\b"
    r"|not found for account|unable to access (?:\S+ )?model"
    r"|available to new (?:users|customers|projects)"
)


def excludes_all(words: str) -> bool:
    """Returns True if settings of the account or the request exclude all endpoints of a model."""
    return (_EXCLUDED.search(words) or _SETTINGS.search(words)) is not None


def way_out(words: str, page: str) -> str:
    """Returns the next step after such an error; *page* has the account's settings, "" for none.

    It is left out if the words name a page of settings themselves.
    """
    place = f" at {page}" if page and not _SETTINGS.search(words) else ""
    return next(step for about, step in _WAYS_OUT if about.search(words)).format(page=place)


def denies_access(words: str) -> bool:
    """Returns True if the model certainly exists, but not for this account or key."""
    return _DENIED.search(words) is not None and not may_deny_access(words)


def may_deny_access(words: str) -> bool:
    """Returns True if the model is missing, or the account or key may not use it."""
    return _PERHAPS_DENIED.search(words) is not None
