"""The bridge between a node's gateway and the Mainline DHT: documents are put there, and found.

Source: BEP 5 and BEP 44. The extra `mainline` has what it needs.
"""
