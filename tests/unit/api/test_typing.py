"""What has few values is known to type checkers: a typo is an error before the program runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from web5_build.paths import ROOT

PROGRAM = """
from pydantic import BaseModel
from web5 import Connection, DateSort, Protocol, ProtocolPermissions, Web5

notes = Protocol("https://notes.example")

@notes.type("note", can={"anyone": "read"})
class Note(BaseModel):
    text: str

async def right() -> None:
    web5, did = await Web5.connect()
    dwn, name = web5.dwn, did.upper()
    request = await dwn.permissions.request(
        scope={"interface": "Records", "method": "Read", "protocol": notes.uri}, conditions={"publication": "Required"}
    )
    await dwn.permissions.request(scope={"interface": "Protocols", "method": "Query"})
    await dwn.permissions.request(scope={"interface": "Messages", "method": "Subscribe", "protocol": notes.uri})
    await dwn.permissions.grant(granted_to=did, scope=request.scope, date_expires=name, conditions=request.conditions)
    await dwn.records.query(date_sort="createdDescending")
    await dwn.records.query(date_sort=DateSort.PUBLISHED_ASCENDING)
    async for note in web5.records(Note).query(order_by="-date_created"):
        note.value.text.upper()
    await web5.sync.now("push")

async def wrong(web5: Web5) -> None:
    dwn = web5.dwn
    await dwn.permissions.request(scope={"interface": "Records", "method": "Raed", "protocol": notes.uri})  # wrong
    await dwn.permissions.request(scope={"interface": "Protocols", "method": "Write"})  # wrong
    await dwn.permissions.request(scope={"interface": "Records", "method": "Read"})  # wrong: no protocol
    await dwn.permissions.request(
        scope={"interface": "Protocols", "method": "Query"},
        conditions={"publication": "required"},  # wrong
    )
    await dwn.records.query(date_sort="createdDesc")  # wrong
    await dwn.records.query(schemas="https://schema.example")  # wrong
    web5.records(Note).query(order_by="created")  # wrong
    await web5.sync.now("pul")  # wrong
    await web5.did.create("dth")  # wrong
    await web5.export("file", keys="encryptd")  # wrong
    ProtocolPermissions({}, ["raed"])  # wrong
    notes.type("other", can={"anyone": "raed"})  # wrong
    if web5.vault.state == "open":  # wrong
        pass
    if web5.vault.protection == "passwort":  # wrong
        pass
    [note] = await web5.records(Note).query()
    note.value.txt  # wrong
"""


def test_a_type_checker_finds_each_typo_and_nothing_else(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    config = ["--config-file", str(ROOT / "pyproject.toml"), "--no-error-summary", "--hide-error-context"]
    ran = subprocess.run([sys.executable, "-m", "mypy", *config, program], cwd=ROOT, capture_output=True, text=True)
    found = {int(line.split(":")[1]) for line in ran.stdout.splitlines() if ": error:" in line}
    assert found == {number for number, line in enumerate(PROGRAM.split("\n"), 1) if "# wrong" in line}, ran.stdout
