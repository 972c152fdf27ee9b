"""One agent for several interpreters: one of them is the node, the others work through it, and take its place.

Nothing here knows how they find one another, or who leads: that is the platform's (`web5.browser.tabs.shared`).
"""
