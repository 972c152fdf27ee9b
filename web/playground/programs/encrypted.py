# Whoever runs a node sees that something is there, and not what it says.
import json

SCHEMA = "https://example.org/playground/secret"
secret = await web5.dwn.records.create("Nobody else reads this", schema=SCHEMA, encryption=True)
print("Here:", await secret.data.text())

print("The message, as a node has it:")
print(json.dumps(secret.to_json(), indent=2, default=str)[:1200])
await secret.delete()
