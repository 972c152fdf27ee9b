"""The engine's SQL in PostgreSQL's words."""

from __future__ import annotations

from itertools import pairwise

import pytest

from web5.node.postgres.dialect import from_text, to_text, translate


@pytest.mark.parametrize(
    ("sqlite", "postgres"),
    [
        ("SELECT 1 FROM t WHERE a = ? AND b = ?", "SELECT 1 FROM t WHERE a = $1 AND b = $2"),
        ("SELECT 1 FROM t WHERE a = ?1 AND b = ? AND c = ?1", "SELECT 1 FROM t WHERE a = $1 AND b = $2 AND c = $1"),
        ("SELECT 1 FROM t INDEXED BY t_by_a WHERE a = ?", "SELECT 1 FROM t WHERE a = $1"),
        ("SELECT 1 FROM t CROSS JOIN u NOT INDEXED ON a = b", "SELECT 1 FROM t JOIN u ON a = b"),
        ("INSERT OR IGNORE INTO t VALUES (?)", "INSERT INTO t VALUES ($1) ON CONFLICT DO NOTHING"),
        ("DELETE FROM t WHERE a IS NOT ?", "DELETE FROM t WHERE a IS DISTINCT FROM $1"),
        ("UPDATE t SET a = ifnull(?, a)", "UPDATE t SET a = coalesce($1, a)"),
        ("INSERT INTO dwn_tenant (did) VALUES (?)", "INSERT INTO dwn_tenant (did) VALUES ($1) RETURNING id"),
    ],
)
def test_a_statement_is_the_same_in_other_words(sqlite: str, postgres: str) -> None:
    assert translate(sqlite).text == postgres


def test_a_list_is_an_array() -> None:
    found = translate("SELECT 1 FROM t WHERE a = ? AND b IN (SELECT value FROM json_each(?)) AND c = ?")
    assert "unnest($2::text[]) AS listed(value)) AND c = $3" in found.text
    assert found.lists == {1}


def test_only_what_may_be_long_is_fetched_by_and_by() -> None:
    assert translate("SELECT a FROM t ORDER BY a").is_long
    assert not translate("SELECT a FROM t ORDER BY a LIMIT ?").is_long
    assert not translate("SELECT a FROM t WHERE a = ?").is_long


def test_texts_come_back_and_keep_their_order() -> None:
    texts = sorted(["", "\0", "\0\0", "\0\x01", "\0a", "\x01", "\x01\0", "\x01\x01", "\x01\x02", "\x02", "a\0", "ä"])
    assert [from_text(to_text(text)) for text in texts] == texts
    stored = [to_text(text).encode() for text in texts]
    assert not any(b"\0" in one for one in stored)
    assert all(one < other for one, other in pairwise(stored))
