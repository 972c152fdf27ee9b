"""The notes app's half in the worker: what the page may ask for, on top of the Web5 API."""
