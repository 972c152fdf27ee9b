"""docs/sync.md: what sync does about every answer and every failure, from its tables."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable
from enum import StrEnum

from web5.crypto.encoding import b64url_encode
from web5.dwn.data import MAX_INLINE_BYTES
from web5.patience import BESIDE
from web5.remote.clocks import MOST_AHEAD, TOLERATED
from web5.remote.pauses import FIRST, LONGEST, MOST, SHORTEST, TOO_MANY, UNAVAILABLE
from web5.sync.exchange.registrar import MOST_HASHES, TRIES
from web5.sync.exchange.visit import AUDIT_SECONDS
from web5.sync.plan import dependencies, policy
from web5.sync.plan.budget import AUDITS, EVENTS, FETCHES, NOT_GIVEN, PAGE, PATIENCE, RESTORES
from web5.sync.plan.delivery import MOST_DELIVERIES
from web5.sync.plan.policy import Backoff, Outcome
from web5.sync.schedule.intervals import SAFETY_SECONDS
from web5.sync.schedule.live import POLL_SECONDS
from web5.sync.states import ANSWERS, Activity, RegistrationState, State
from web5_build.docs.tables import table

HEAD = ("Means", "The message is", "The visit", "Tried again", "For a person to mend")


def sync() -> str:
    """Return the text of docs/sync.md."""
    return "\n".join(
        [
            "# What sync does about every answer",
            "",
            *_text(
                "Made from the tables in `web5.sync.plan.policy` and `web5.sync.plan.dependencies` by"
                " `python -m web5_build.docs.rule_docs`; do not edit."
            ),
            "## Answers of a DWN",
            "",
            *_text(
                "The first line that fits the answer to a message decides. The same lines read what the local node says"
                " when a message that was fetched is given to it. What is not settled is in `web5.sync.unsettled()`"
                " with its reason."
            ),
            *table(("Status", "In its detail", *HEAD), [_reply(rule) for rule in policy.RULES]),
            "## Failures without an answer",
            "",
            *table(("Error", *HEAD), [_error(*line) for line in policy.ERRORS.items()]),
            *_text(
                f"After {policy.FAILURES_IN_A_ROW} failures of the node in a row (5xx, 401, no proper reply) a visit"
                " ends too. By interval, the next visit is the next interval's;"
                f" live, it comes {_when(policy.RECONNECT)}."
            ),
            *_text(
                "One message on which this side fails holds up no other, in either direction. It waits by itself, and"
                " what had no room tells how much has none:"
            ),
            *table(("Error", *HEAD), [_error(*line) for line in policy.OWN.items()]),
            "## What cannot be read here",
            "",
            *_text(
                "A stored message that cannot be read, or whose data are missing, cut off, or other than they were, is"
                " found when it is read, sent or refused, and is “damaged” from then on (`unsettled()`, without an"
                " endpoint). The endpoints that hold it are asked for it, whose CIDs tell that it is the same; what"
                " one gives takes its place, and what waits for it is sent. If none has it that is said, and whoever"
                " lists it later is asked."
            ),
            "## What waits for what",
            "",
            *_text(
                "A message that is refused with one of these codes waits, and is tried again as soon as what it waits"
                " for is there, whoever brings it; and, in case that is never noticed, after the waits above."
            ),
            *table(("Code", "Waits for"), [(f"`{code}`", _waits(code)) for code in dependencies.MISSING]),
            "## What is from the past",
            "",
            *_text(
                "A message that was allowed once may be refused as things are now: by a newer definition of its"
                " protocol, or because a role, a grant or a parent record has ended. Where a visit fetches such a"
                " message, it asks the node once for what has ended (`MessagesHistory`), and judges the message by its"
                " own time. A node that refuses one is given it again with the tenant's signature over that"
                " (`MessagesReplicate`). A node that knows neither, such as the reference's, gets everything that is"
                " due in the order of its dates; what it refuses all the same waits, with one of these codes:"
            ),
            *table(("Code", "Waits for"), [(f"`{code}`", _waits(code)) for code in dependencies.NOT_ALLOWED]),
            *_text(
                "A delete ends a record: a write that is dated later goes where the delete comes, and is sent no more."
                " Where a node that knows no past has a later write, and so refuses the delete, the owner's agent makes"
                " the delete anew, dated after that write; as often as it writes a record anew that was displaced."
            ),
            "## Clocks",
            "",
            *_text(
                "Our nodes refuse signed questions that are dated too far from their own clock, and messages that are"
                " dated too far ahead of it, and tell their time with that. Each node is then asked by its own clock,"
                f" as far as that is at most {_span(MOST_AHEAD / 1_000_000)} ahead of this device's: a question from"
                " the future could be kept for then, and put to another node. Messages keep their dates; one from the"
                " future waits for its time, which `waits_for` has as `time:DATE`."
            ),
            *_text(
                "What replaces something is dated now, or a microsecond after what is there: a record, protocol or name"
                " from a device whose clock was ahead can be changed and deleted at any time. The initial write of a"
                " record has the record's `date_created`, as the wire demands; what follows has the date of the clock."
            ),
            *_text(
                "How far this device's clock is from an endpoint's, by the `Date` of its answers and by its refusals,"
                f" is in `status().clock_ahead`; more than {_span(TOLERATED / 1_000_000)} is `clock_is_off`. Waits are"
                " spans by a clock that never goes back, in which the device's sleep counts. Due times that outlive"
                " the process count as passed where the clock was put back since."
            ),
            "## Endpoints that want their tenants registered",
            "",
            *_text(
                f"A visit that is answered “{policy.NOT_REGISTERED}” asks the endpoint what it demands (`/info`) and"
                " registers the tenant, by the terms of service and the proof of work of `@web5/dwn-server`; then it"
                " begins anew. The person is asked first (`web5.sync.registration`, `accept_terms`, `accept_work`)"
                " where the terms are not those that were agreed to for this endpoint before, and where the work is"
                f" more than {MOST_HASHES:,} hashes on average. Terms without any text need no consent. After consent"
                " the visit follows at once. Where the endpoint takes those who were invited, the person gives the code"
                " (`use_invitation`); each tenant takes a use of it, and a code that is refused is forgotten."
            ),
            *_text(
                f"What is not done in {TRIES} challenges, or fails on the way, is tried again {_when(policy.SOON)};"
                " what the endpoint refuses, demands in no way known here, or does not honour afterwards,"
                f" {_when(policy.SLOWLY)}. An endpoint that forgot the tenant is registered"
                " with anew: at once, and more and more slowly if it keeps forgetting."
            ),
            *_text(
                f"States of a registration: {_list(RegistrationState)}; `web5.sync.status()` has them. Version 0.6.1 of"
                " `@web5/dwn-server` honours no registration unless it demands both; with a proof of work alone it"
                " answers “Agreed terms-of-service is outdated” ever after."
            ),
            "## When endpoints are asked",
            "",
            *_text(
                "By interval: every endpoint is asked what is new (one small request if nothing is), and what is due is"
                " fetched and sent."
            ),
            *_text(
                "Live: an endpoint that has a WebSocket tells by itself; a visit follows every event and every connect,"
                f" and comes every {SAFETY_SECONDS / 60:g} minutes anyway. An endpoint without a WebSocket is asked"
                f" about every {POLL_SECONDS:g} seconds."
            ),
            *_text(
                f"Every {AUDIT_SECONDS / 3600:g} hours, and whenever it seems to have lost something, an endpoint is"
                " asked for all that it has; what is missing on either side is then fetched or sent. If nothing was"
                f" missing, such a suspicion leads to no more than {AUDITS[0]} lists of everything, and then to one in"
                f" {_span(60 / AUDITS[1])}."
            ),
            *_text(
                "A delegate whose grants to sync have ended asks an endpoint for nothing, and says so; what it wrote"
                " while it might is sent all the same."
            ),
            *_text(
                "A visit in which nothing of what was to be sent, or fetched, could be is no success, also where the"
                " node answers and nothing was due again since it refused: `status().last_error` stands until"
                " something is taken, or given. A run is `ok` if nothing failed and no refused message is left, and"
                " `complete` if every message is everywhere."
            ),
            *_text(
                "An endpoint that lists messages that it does not give, or that are of no use here, is asked for"
                f" {FETCHES[0]} of them, and then for {FETCHES[1]} a minute, the newest first (one that is not"
                f" given counts for {NOT_GIVEN}, a further page of a list for {PAGE}); each that is of use gives"
                f" one back. Events lead to {EVENTS[0]} visits that bring nothing, and then to {EVENTS[1]} a"
                f" minute. Another endpoint takes over what one is silent about for {PATIENCE:g} s, or gives at less"
                f" than {ANSWERS} a second."
            ),
            *_text(
                f"An endpoint that answers {TOO_MANY}, or {UNAVAILABLE} with a `Retry-After`, is asked nothing, for no"
                " tenant and by no way, until the time that it said is over (in seconds, or a date by its own clock; at"
                f" least {_span(SHORTEST)}, at most {_span(LONGEST)}), or {_span(FIRST)}, then twice that, up to"
                f" {_span(MOST)}. `web5.sync.now()`, `check()`, `send()` and `retry()` return without an endpoint that"
                f" does not get on for {BESIDE:g} s, or for longer at less than {ANSWERS} answers a second, once others"
                " have ended; what they do with it goes on, but for `check()`. While a round of an interval is waited"
                " for, the next ones only visit who is idle."
            ),
            *_text(f"States of a message: {_list(State)}. Of an endpoint: {_list(Activity)}."),
            "## What is sent to somebody else",
            "",
            *_text(
                "`record.send(did)` keeps the message durably, then sends it at once to every endpoint of the"
                " DID, after the initial write of its record. What an endpoint does not take is tried again at"
                " every visit: of an interval, `now()`, `retry()`, and live when it is due. The tables above"
                " decide, and pauses hold. It is in `unsettled()` with its `target`, counted in"
                " `status().deliveries`, and gone when each endpoint of the target has it, or `withdraw()` takes"
                " it back; events are “delivered”, “undelivered” and “withdrawn”. No target waits for another,"
                " and the own nodes for none."
            ),
            *_text(
                "`send` raises only if no endpoint may take it yet: where all refuse in a way that waiting does"
                " not mend (it is kept as refused, and tried as rarely as the tables say), where there is no such"
                " DID, or it names no DWN (nothing is kept, unless something waits for that DID already). Where"
                " their node lacks something (the protocol, a role, a parent), allows it not as things are there, or"
                " does not know its tenant, the reason begins with that, as theirs."
            ),
            *_text(
                "The target's DID document is looked up anew each time: what is kept follows it to other"
                " endpoints, and waits while it cannot be resolved. A newer state of a record that is sent takes"
                " the place of the older one; one that is only written here does not, and what was sent arrives"
                f" (data over {MAX_INLINE_BYTES:,} bytes are gone then, and that is said). What is deleted here"
                f" is withdrawn. {MOST_DELIVERIES:,} messages of one identity are kept; beyond, `send` raises"
                " `TooManyUndelivered`."
            ),
            "## Records that an endpoint has lost to a stranger",
            "",
            *_text(
                "From a message that he has seen, a stranger can make another with the same signed content, by"
                " adding what nobody signs; some nodes, the reference's among them, take it in the place of the"
                " first, and may have its data no more. Such a variant is not applied here and not sent on"
                " (`status().variants`). An endpoint that has one, or that answers 409 to a message, is asked for"
                " the record; if it shows something else, or nothing, the message is “displaced”"
                " (`status().displaced`, `check().displaced`). A record of the tenant's own is then written once"
                " more as it is, which every node takes for newer; one that another has written, or attested, is"
                f" reported. For one record that is done again {_when(policy.SLOWLY)}; for one endpoint, {RESTORES[0]}"
                f" times at once, and {RESTORES[1]} a minute."
            ),
        ]
    )


def _text(paragraph: str) -> Iterable[str]:
    return *textwrap.wrap(paragraph, 116, break_long_words=False, break_on_hyphens=False), ""


_NAMED = {
    dependencies.PATTERN: "a code of a dependency, see below",
    dependencies.NOT_ALLOWED_PATTERN: "a code of the past, see below",
}


def _reply(rule: policy.Rule) -> tuple[str, ...]:
    detail = _NAMED.get(rule.detail, f"`{rule.detail}`")
    status = rule.codes.replace("|", ", ").replace("...", "any other").replace("..", "xx")
    return (
        status + (f" to a {rule.method.replace('.', '')}" if rule.method else ""),
        detail if rule.detail else "",
        *_outcome(rule.outcome),
    )


def _error(kind: type[Exception], outcome: Outcome) -> tuple[str, ...]:
    return ("any other" if kind is Exception else f"`{kind.__name__}`", *_outcome(outcome))


def _outcome(outcome: Outcome) -> tuple[str, ...]:
    return (
        outcome.name,
        outcome.state or "settled",
        "ends" if outcome.ends_visit else "goes on",
        "" if outcome.settled else _when(outcome.backoff),
        "yes" if outcome.needs_user_action else "",
    )


def _when(backoff: Backoff) -> str:
    if not backoff.most:
        return "at the next visit"
    if backoff == policy.UNTIL_THEN:
        return f"when its time has come, {_span(backoff.most)} at the most"
    return f"after {_span(backoff.first)}, then twice that, up to {_span(backoff.most)}"


def _span(seconds: float) -> str:
    for unit, size in (("h", 3600.0), ("min", 60.0)):
        if seconds >= size:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"


def _waits(code: str) -> str:
    payload = b64url_encode(json.dumps({"protocolRole": "ROLE", "permissionGrantId": "GRANT"}).encode())
    message = {
        "recordId": "ID",
        "descriptor": {
            "parentId": "PARENT",
            "protocol": "URI",
            "protocolPath": "PATH",
            "messageTimestamp": "DATE",
        },
        "authorization": {"signature": {"payload": payload}},
    }
    return dependencies.describe({**dependencies.MISSING, **dependencies.NOT_ALLOWED}[code](message))


def _list(states: type[StrEnum]) -> str:
    return ", ".join(f"“{state.value}”" for state in states)
