"""How web5-py is built: what `build.py` runs. Standard library only, and no part of the wheel."""
