"""Work that is asked for more often than it can be done. As words.py, it touches no page."""


class Rounds:
    """Does some work again as long as it is asked for, one round at a time.

    Parameters:
        work: called without arguments, and awaited.
    """

    def __init__(self, work):
        self._work = work
        self._asked = False
        self._working = False

    async def run(self):
        """Do the work; calls that come meanwhile make one more round, not many."""
        self._asked = True
        if self._working:
            return
        self._working = True
        try:
            while self._asked:
                self._asked = False
                await self._work()
        finally:
            self._working = False
