"""Many notes in a PyScript worker, in the store of the notes page, for tests/bench/scale."""

import json
from typing import Any

from steps import Steps

from web5 import Web5


async def connect(**options: Any) -> Web5:
    return (await Web5.connect(sync="off", **options)).web5


steps = Steps(connect)


async def call(name: str, args: str) -> str:
    """One step; arguments and result as JSON."""
    return json.dumps(await getattr(steps, name)(**json.loads(args)))


__export__ = ["call"]
