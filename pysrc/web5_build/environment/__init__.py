"""Everything that build, tests and benchmarks want on a machine: Python packages, Node.js, browsers, databases."""
