"""The build of web5-py, which `build.py` runs. Standard library only, and no part of the wheel."""
