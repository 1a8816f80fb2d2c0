"""Cases of a benchmark that go wrong, each in its own way."""

import os
import signal
import time
from typing import Any


def answer(task: dict[str, Any]) -> dict[str, Any]:
    match task["way"]:
        case "raise":
            raise ValueError("this is why")
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "leave":
            os._exit(3)
        case "sleep":
            time.sleep(60)
        case "print":
            os.write(1, b"native noise")
    return {"value": 1.0}
