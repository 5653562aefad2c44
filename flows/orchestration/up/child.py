"""A part's process: it runs a module as `python -m` does, and never outlives `up`.

Its standard input is a pipe of which `up` alone holds the other end. What ends `up` without a word,
such as a kill, closes that, and the part is killed with all that it started: whatever a run had
committed is there, and the next `up` has it go on. So it needs no feature of one system's kernel.
"""

import os
import runpy
import signal
import sys
from threading import Thread


def main() -> None:
    """Run the module that the first argument names with the others as its own."""
    _, module, *words = sys.argv
    Thread(target=_end_with_parent, daemon=True).start()
    sys.argv = [module, *words]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _end_with_parent() -> None:
    while os.read(0, 1):
        pass
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    main()
