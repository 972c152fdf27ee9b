# `web5` and `did` are there: the node is in this browser, and yours.
print("You are", did)

note = await web5.dwn.records.create(
    "Hello from Python", schema="https://example.org/playground", data_format="text/plain"
)
print("Written:", note.id)

same = await web5.dwn.records.read(note.id)
print("Read:", await same.data.text())

for record in await web5.dwn.records.query(schema="https://example.org/playground"):
    print(record.date_created.strftime("%H:%M:%S"), await record.data.text())

await note.delete()
note
