"""A part's process: it runs a module as `python -m` does, and never outlives `up`.

Its standard input is a pipe of which `up` alone holds the other end. Whatever ends `up`, a kill
too, closes that, and the part ends in order. So it needs no feature of one system's kernel.
"""

import os
import runpy
import signal
import sys
import time
from threading import Thread


def main() -> None:
    """Run the module that the second argument names; the first is how long its end may take."""
    seconds, module, *words = sys.argv[1:]
    Thread(target=_end_with_parent, args=(float(seconds),), daemon=True).start()
    sys.argv = [module, *words]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _end_with_parent(seconds: float) -> None:
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(seconds)
    # All of its own session: the runs of a `serve` that hangs too.
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    main()
