# Where your records are, and what is on its way.
for node in await web5.nodes.list():
    print(node)

for status in web5.sync.status():
    print(status.endpoint, status.activity.name.lower(), "to send:", status.pending_out, "to fetch:", status.pending_in)

async for one in web5.sync.all_unsettled():
    print("not there yet:", one.message_cid, "at", one.endpoint, one.state.name, one.detail)
else:
    print("nothing else is on its way")
