"""Seeded simulation of sync: several devices, their endpoints, and everything that can go wrong between them.

Real: `SyncEngine` with its planner and ledger, and the engine `Dwn` on both sides, signatures included.
Simulated: time (`virtual_time`), the network (`network`, `faults`), devices' storage and crashes (`storage`,
`device`), DID resolution (`people`).

A seed decides everything, so a seed that failed fails again: `python3 build.py simulate --seed S` tells its story.
"""
