"""Seeded simulation of whole agents: the devices of one person, with vault, identities, publication and recovery.

Real: `web5.agent.Agent` with all its parts, over the servers of DWNs and gateways (`web5.node`), registration included.
Simulated: time, devices' disks and crashes (shared with `tests.simulation`), and the way to the servers (`web`).
"""
