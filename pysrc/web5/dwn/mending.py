"""The mending of stored messages, and of their data, that cannot be read any more.

A message is known by its CID, and its data by theirs, so that whoever has them can give them; nobody need be trusted.
"""

from __future__ import annotations

from web5.dwn.codes import Code
from web5.dwn.data import DataSource, Incoming, kept_if_stored, receive
from web5.dwn.services import Services
from web5.dwn.store.store import BlobRow
from web5.dwn.values.cid import DataCid, message_cid
from web5.dwn.values.types import Message
from web5.errors import BadRequest, InvalidArgument, MessageDamaged, NotFound, StorageError


async def is_whole(services: Services, did: str, cid: str) -> bool:
    """Read a stored message and its data, and return whether they are what its CID stands for; if not, tell of it."""
    tenant = services.store.tenant(did)
    row = services.store.message(tenant, cid)
    if row is None:
        return True
    try:
        message = row.message
        if message_cid(message) != cid:
            raise MessageDamaged(cid, f"message {cid} is another than it was")
        if row.method == "Write":
            data = services.data_of(tenant, did, cid, message, row.data, is_latest=row.latest)
            found = DataCid()
            if data is not None:
                async for chunk in data:
                    found.update(chunk)
                if found.finish()[0] != message["descriptor"]["dataCid"]:
                    raise MessageDamaged(cid, f"the data of message {cid} are other than they were")
    except (MessageDamaged, InvalidArgument, KeyError, TypeError) as error:
        services.tell_damage(did, cid, error)
        return False
    except StorageError:
        return services.store.message(tenant, cid) is None
    return True


async def mend(services: Services, did: str, cid: str, message: Message, data: DataSource | None) -> None:
    """Put a message, and its data if there are any, in the place of the same one that is held.

    Raises:
        NotFound: it is not held any more.
        BadRequest: that is another message, or these are not its data.
        StorageError: it is as it was; nothing stays behind.
    """
    if message_cid(message) != cid:
        raise BadRequest("", f"message {message_cid(message)} is not {cid}")
    incoming = None
    if data is not None:
        incoming = await receive(data, message["descriptor"]["dataSize"], services.blobs)
    async with kept_if_stored(incoming, services.blobs):
        garbage = await services.database.commit(lambda: _replace(services, did, cid, message, incoming), of=did)
    if garbage:
        await services.blobs.delete(garbage)


def _replace(services: Services, did: str, cid: str, message: Message, incoming: Incoming | None) -> list[str]:
    """Return the keys of the blobs that nothing needs any more. Inside a transaction."""
    store = services.store
    tenant = store.tenant(did)
    row = store.message(tenant, cid)
    if row is None:
        raise NotFound("", "Not Found")
    inline, garbage = None, []
    if incoming is not None:
        descriptor = message["descriptor"]
        if (incoming.cid, incoming.size) != (descriptor["dataCid"], descriptor["dataSize"]):
            raise BadRequest(Code.RecordsWriteDataCidMismatch, f"{incoming.cid} is not the CID of the data")
        if not row.latest:
            garbage = [incoming.key] if incoming.key is not None else []
        elif incoming.key is None:
            inline = incoming.inline
        else:
            garbage = store.drop_blobs(tenant, message["recordId"], keep=None)
            store.add_blob(tenant, message["recordId"], incoming.cid, BlobRow(incoming.key, incoming.size))
    store.rewrite(tenant, cid, message, inline)
    return garbage
