# The result of a query, now and after each change, whichever tab or device made it. Stop ends it.
import asyncio
from datetime import datetime

SCHEMA = "https://example.org/playground/tick"


async def tick():
    for number in range(3):
        await web5.dwn.records.create(f"tick {number + 1} at {datetime.now():%H:%M:%S}", schema=SCHEMA)
        await asyncio.sleep(1)


asyncio.ensure_future(tick())

async for records in web5.dwn.records.live(schema=SCHEMA):
    print(len(records), "records:", [await record.data.text() for record in records[:3]])
    if len(records) >= 3:
        break

for record in records:
    await record.delete()
print("tidied up")
