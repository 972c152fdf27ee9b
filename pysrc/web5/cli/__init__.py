"""The program `web5`: an agent's identities exported, imported and looked at, from a terminal."""
