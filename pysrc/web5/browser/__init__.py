"""The ports in a browser (WebCrypto, IndexedDB, fetch, WebSocket, tabs) and the composition root of an agent there.

The only package that imports `js` or `pyodide`; the twin of `cpython`.
"""
