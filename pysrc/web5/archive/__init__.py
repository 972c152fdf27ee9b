"""Archives: everything of an identity in one file, and back. `docs/archive.md` has the format.

`exporting` and `importing` do the work; `zip_writer` and `zip_reader` know ZIP, `format` the files in it.
"""
