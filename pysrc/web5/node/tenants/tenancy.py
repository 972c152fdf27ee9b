"""The tenants that are served, and the bounds of what they keep, as the engine asks for both.

Invariants:
1. A message after which a tenant, or a guest in it, would keep more than its quota is refused, and changes nothing. A
   delete never is: who is over a quota that was made smaller can always get below it.
2. A refusal has the codes that newer servers use, by which an agent stops sending, and says what is full.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import apsw

from web5.dwn.engine import Dwn, TenantGate
from web5.dwn.events import Applied
from web5.errors import DwnError, ServerFailure
from web5.node.tenants.registry import Admission, Quota, Registry
from web5.node.tenants.use import Amount, used

INSUFFICIENT_STORAGE = 507
SUSPENDED = "This tenant is suspended here."
NOT_ADMITTED = "Not a registered tenant."
"""The reference's words, by which an agent knows that somebody has to do something about it."""


@dataclass(frozen=True, slots=True)
class TenantRules:
    """The rules for all tenants of a node.

    Parameters:
        admission: "open": everybody is served; "list": who was admitted; "invitation": the same, and a code admits.
        quota: of each tenant, unless the operator has said another.
        guest_quota: of each guest in the DWN of one tenant.
    """

    admission: Admission = "open"
    quota: Quota = field(default_factory=Quota)
    guest_quota: Quota = field(default_factory=Quota)


class Tenancy:
    """The tenants of one DWN: its tenant gate, and the hook that keeps them within their quotas.

    Parameters:
        registrations: what tenants have to meet besides, if anything.
    """

    def __init__(self, registry: Registry, rules: TenantRules, registrations: TenantGate | None = None) -> None:
        self._registry = registry
        self._rules = rules
        self._registrations = registrations

    async def refusal(self, tenant: str) -> str | None:
        """Return why a tenant is not served, or None (`TenantGate`)."""
        said = await self._registry.ask(tenant)
        if said.suspended:
            return SUSPENDED
        if self._rules.admission != "open" and not said.admitted:
            return NOT_ADMITTED
        return None if self._registrations is None else await self._registrations.refusal(tenant)

    def watch(self, dwn: Dwn) -> None:
        """Keep the tenants of a DWN within their quotas from now on."""
        dwn.in_transaction.append(partial(self._check, dwn.database.connection))

    def _check(self, db: apsw.Connection, applied: Applied) -> None:
        if applied.columns.method == "Delete":
            return
        quota = self._registry.said(applied.tenant).quota(self._rules.quota)
        _compare("this tenant", quota, lambda: used(db, applied.tenant))
        if (guest := applied.columns.guest) is not None:
            _compare("its author, in this DWN,", self._rules.guest_quota, lambda: used(db, applied.tenant, guest))


def _compare(whose: str, quota: Quota, amount: Callable[[], Amount]) -> None:
    if quota == Quota():
        return
    now = amount()
    if quota.messages is not None and now.messages > quota.messages:
        raise _full(f"{whose} may keep {quota.messages} messages here", "Message")
    if quota.bytes is not None and now.bytes > quota.bytes:
        raise _full(f"{whose} may keep {quota.bytes} bytes here", "Storage")


def _full(words: str, what: str) -> DwnError:
    return ServerFailure(f"Tenant{what}QuotaExceeded", words, INSUFFICIENT_STORAGE)
