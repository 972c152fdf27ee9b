"""What a resolver knows after a restart (invariant 6 of web5.dids.resolver), with the cache in a database."""

from __future__ import annotations

import apsw
import pytest

from tests.unit.dids.gateway_world import CRYPTO, GatewayWorld
from web5.agent import did_cache
from web5.agent.did_cache import StoredDidCache
from web5.dids import dht, jwk
from web5.dids.resolver import CACHE_SECONDS, CachedDocument, UniversalResolver
from web5.dwn.store.database import Backing, Database, open_memory


class Setting:
    """A gateway with one DID, and a database that outlives resolvers."""

    def __init__(self) -> None:
        self.flushes = 0
        backing = Backing()
        backing.flush = self._flush  # type: ignore[method-assign]
        self.database = Database(apsw.Connection(":memory:"), backing)
        self.gateways = GatewayWorld("a")
        self.clock = self.gateways.clock

    async def _flush(self) -> None:
        self.flushes += 1

    def resolver(self) -> UniversalResolver:
        """As after a restart."""
        return self.gateways.resolver_of(cache=StoredDidCache(self.database))

    @property
    def requests(self) -> int:
        return self.gateways.requests["GET", "a"]


@pytest.fixture
async def setting() -> Setting:
    return Setting()


async def test_a_document_that_was_found_is_known_after_a_restart(setting: Setting) -> None:
    portable_did = await setting.gateways.publish(
        await dht.create(CRYPTO, **dht.identity_defaults(["https://a.example"]))
    )
    before = await setting.resolver().resolve(portable_did.uri)
    setting.clock.advance(CACHE_SECONDS - 1)
    again = setting.resolver()
    assert await again.resolve(portable_did.uri) == before
    assert setting.requests == 1
    setting.clock.advance(1)
    assert await again.resolve(portable_did.uri) == before
    assert setting.requests == 2


async def test_it_is_served_as_stale_while_its_gateway_is_down(setting: Setting) -> None:
    portable_did = await setting.gateways.publish(await dht.create(CRYPTO))
    await setting.resolver().resolve(portable_did.uri)
    setting.clock.advance(30 * 24 * 3600)
    setting.gateways.failing["a"] = 503
    result = await setting.resolver().resolve(portable_did.uri)
    assert result.did_document == portable_did.document
    assert result.did_resolution_metadata["stale"] is True


async def test_what_is_gone_or_forgotten_is_not_kept(setting: Setting) -> None:
    portable_did = await setting.gateways.publish(await dht.create(CRYPTO))
    for lose in ("gone", "forgotten"):
        resolver = setting.resolver()
        await resolver.resolve(portable_did.uri)
        setting.clock.advance(CACHE_SECONDS)
        setting.gateways.failing["a"] = 404
        if lose == "forgotten":
            resolver.forget(portable_did.uri)
        assert (await resolver.resolve(portable_did.uri)).error == "notFound"
        setting.gateways.failing["a"] = 503
        assert (await setting.resolver().resolve(portable_did.uri)).did_document is None
        setting.gateways.failing.clear()


async def test_an_older_version_does_not_replace_what_was_kept(setting: Setting) -> None:
    old = await setting.gateways.publish(await dht.create(CRYPTO))
    newer = CachedDocument(old.document, {"published": True, "versionId": str(2**40)}, 0)
    StoredDidCache(setting.database).keep(old.uri, newer)
    result = await setting.resolver().resolve(old.uri)
    assert (setting.requests, result.did_document_metadata) == (1, newer.metadata)


async def test_a_seed_wins_and_is_not_kept(setting: Setting) -> None:
    portable_did = await setting.gateways.publish(await dht.create(CRYPTO))
    await setting.resolver().resolve(portable_did.uri)
    document = portable_did.document.model_copy(update={"also_known_as": ["did:example:changed"]})
    resolver = setting.resolver()
    resolver.seed(portable_did.model_copy(update={"document": document}))
    assert (await resolver.resolve(portable_did.uri)).did_document == document
    setting.clock.advance(CACHE_SECONDS)
    assert (await resolver.resolve(portable_did.uri)).did_document == document
    kept = StoredDidCache(setting.database).load(portable_did.uri)
    assert kept is not None
    assert kept.document == portable_did.document


async def test_a_clock_that_was_set_back_does_not_make_a_document_last(setting: Setting) -> None:
    portable_did = await setting.gateways.publish(await dht.create(CRYPTO))
    far_ahead = setting.clock.now() + 10**9 * 3600
    StoredDidCache(setting.database).keep(portable_did.uri, CachedDocument(portable_did.document, {}, far_ahead))
    resolver = setting.resolver()
    await resolver.resolve(portable_did.uri)
    assert setting.requests == 0
    setting.clock.advance(CACHE_SECONDS)
    for process in (resolver, setting.resolver()):
        await process.resolve(portable_did.uri)
        assert setting.requests == 1


async def test_a_clock_that_was_set_back_is_noticed_once(setting: Setting) -> None:
    portable_did = await setting.gateways.publish(await dht.create(CRYPTO))
    far_ahead = setting.clock.now() + 10**9 * 3600
    StoredDidCache(setting.database).keep(portable_did.uri, CachedDocument(portable_did.document, {}, far_ahead))
    await setting.resolver().resolve(portable_did.uri)
    setting.clock.advance(CACHE_SECONDS)
    await setting.resolver().resolve(portable_did.uri)
    assert setting.requests == 1


async def test_keeping_never_waits_for_the_disk(setting: Setting) -> None:
    portable_did = await setting.gateways.publish(await dht.create(CRYPTO))
    await setting.resolver().resolve(portable_did.uri)
    assert StoredDidCache(setting.database).load(portable_did.uri) is not None
    assert setting.flushes == 0


async def test_a_store_that_takes_nothing_costs_no_answer(setting: Setting) -> None:
    portable_did = await setting.gateways.publish(await dht.create(CRYPTO))
    resolver = setting.resolver()

    def refuse() -> bool:
        return True

    setting.database.connection.set_commit_hook(refuse)
    assert (await resolver.resolve(portable_did.uri)).did_document == portable_did.document
    setting.database.connection.set_commit_hook(None)
    assert StoredDidCache(setting.database).load(portable_did.uri) is None


async def test_a_did_that_says_all_itself_is_not_kept(setting: Setting) -> None:
    portable_did = await jwk.create(CRYPTO)
    await setting.resolver().resolve(portable_did.uri)
    assert StoredDidCache(setting.database).load(portable_did.uri) is None


async def test_the_cache_is_bounded_and_the_soonest_to_expire_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(did_cache, "KEPT", 3)
    cache = StoredDidCache(open_memory())
    document = (await dht.create(CRYPTO)).document
    for name, expires in (("a", 5), ("b", 1), ("c", 4), ("d", 3), ("e", 9)):
        cache.keep(f"did:dht:{name}", CachedDocument(document, {}, expires))
    assert [name for name in "abcde" if cache.load(f"did:dht:{name}")] == ["a", "c", "e"]


async def test_what_another_version_kept_is_not_read(setting: Setting) -> None:
    cache = StoredDidCache(setting.database)
    setting.database.connection.execute("INSERT INTO did_cache VALUES ('did:dht:a', '{\"id\": 7}', '{}', 1)")
    assert cache.load("did:dht:a") is None


async def test_a_large_document_is_not_kept(setting: Setting) -> None:
    cache, did = StoredDidCache(setting.database), await jwk.create(CRYPTO)
    cache.keep(did.uri, CachedDocument(did.document, {}, 1))
    assert cache.load(did.uri) is not None
    large = did.document.model_copy(update={"also_known_as": ["x" * did_cache.LARGEST]})
    cache.keep(did.uri, CachedDocument(large, {}, 2))
    assert cache.load(did.uri) is None, "nor is the one before it, which it replaced"
