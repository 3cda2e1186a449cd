"""The daemon in a process of its own, its models played by the script of `mqtt_help`.

    python fake_daemon.py CONFIG
"""

import logging
import sys
from pathlib import Path

from mqtt_help import ScriptedAssistant, scripted_models

import edgeasr.runtime
from edgeasr.config_file import load_config

edgeasr.runtime.Assistant = ScriptedAssistant
edgeasr.runtime.models_of = lambda _config: scripted_models()
edgeasr.runtime.wake_of = lambda _config, _recogniser: scripted_models().wake

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    path = Path(sys.argv[1])
    sys.exit(edgeasr.runtime.run(load_config(path), path=path))
