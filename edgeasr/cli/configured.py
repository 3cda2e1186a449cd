"""What the commands that read the configuration share."""

import argparse
from pathlib import Path

from edgeasr.config import Config
from edgeasr.config_file import load_config

__all__ = ["SYSTEM_CONFIG", "add_config_argument", "configured"]

SYSTEM_CONFIG = Path("/etc/edgeasr/edgeasr.toml")


def add_config_argument(parser: argparse.ArgumentParser) -> None:
    """Add `--config`."""
    parser.add_argument(
        "--config", type=Path, help=f"TOML file (default: {SYSTEM_CONFIG} if it is there)"
    )


def configured(path: Path | None) -> tuple[Config, Path | None]:
    """Return the configuration and the file it came from. Raises ConfigError."""
    if path is None and SYSTEM_CONFIG.is_file():
        path = SYSTEM_CONFIG
    return (Config(), None) if path is None else (load_config(path), path)
