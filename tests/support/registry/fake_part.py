"""A process that stands for a part of `up`: `python -m support.registry.fake_part FOLDER HOW…`."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def main() -> None:
    folder, *how = sys.argv[1:]
    if "deaf" in how:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if "with a child" in how:
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    print("a line at the start", flush=True)
    if "ends" in how:
        sys.stdout.write("\x1b[2Jwhat is wrong\u202e\nand no end of line")
        sys.exit(3)
    if "loud" in how:
        print("x" * 10**6 + "\nTraceback (most recent call last):\n  File\nValueError: the error")
        print("a line behind it", flush=True)
    (Path(folder) / f"{os.getpid()}.ready").touch()
    while True:
        time.sleep(600)


if __name__ == "__main__":
    main()
