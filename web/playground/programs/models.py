# A protocol declared in Python: its types are pydantic models.
from pydantic import BaseModel

from web5 import Protocol

todo = Protocol("https://example.org/playground/todo")


@todo.type("list")
class TodoList(BaseModel):
    title: str


@todo.type("list/item", tags=["done"])
class Item(BaseModel):
    text: str
    done: bool = False


lists, items = web5.records(TodoList), web5.records(Item)
home = (await lists.query() or [await lists.create(TodoList(title="Home"))])[0]
milk = await items.create(Item(text="Milk"), parent=home)
await milk.update(done=True)

for item in await items.query(parent=home):
    print("✓" if item.value.done else "·", item.value.text)

try:
    await items.create({"text": 3}, parent=home)
except Exception as error:
    print(f"{type(error).__name__}: {error}")
