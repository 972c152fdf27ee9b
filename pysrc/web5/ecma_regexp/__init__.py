"""Regular expressions of ECMA-262 (`new RegExp(source, "u").test(text)`), with a bound on the work of a match.

JSON Schema's patterns are these (2020-12, section 6.4), and strangers write them. Python's `re` reads another dialect,
and neither can be stopped. Here the number of steps is counted, so that every machine gives the same answer. May be
used by every layer; of `web5` it imports `lru` and `strict_json`.
"""

from __future__ import annotations

from web5.ecma_regexp.machine import DEFAULT_STEPS, EcmaRegExp, Effort, EffortExceeded, compile
from web5.ecma_regexp.syntax import RegExpSyntaxError

__all__ = ["DEFAULT_STEPS", "EcmaRegExp", "Effort", "EffortExceeded", "RegExpSyntaxError", "compile"]
