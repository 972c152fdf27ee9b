"""Building at once what is built when it is first used: before Python's memory is kept (web/boot/snapshot.mjs)."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from web5.dwn.messages.schema import Schema


def build_models() -> None:
    """Build the shapes of all messages, and all pydantic models, of ours and of the app, that are imported."""
    for schema in Schema.made:
        assert schema.validator
    for model in _models(BaseModel):
        model.model_rebuild()


def _models(base: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for model in base.__subclasses__():
        if not model.__module__.startswith("pydantic."):
            yield model
        yield from _models(model)
