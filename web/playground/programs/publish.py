# A published record is read by anybody who knows its address, without an account.
page = await web5.dwn.records.create(
    "<h1>Hello</h1>", schema="https://example.org/playground/page", data_format="text/html", published=True
)
await web5.sync.now("push")

for node in await web5.nodes.list():
    print(f"{node.url}/{did}/records/{page.id}")

read = await web5.dwn.records.read(page.id, from_=did)
print("as a stranger finds it:", await read.data.text())
await page.delete()
