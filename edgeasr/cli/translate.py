"""`edgeasr translate`: the translator alone."""

import argparse
import sys
from pathlib import Path

from edgeasr.cli.inputs import Commands, print_json, serve_texts
from edgeasr.errors import ConfigError
from edgeasr.loading import load_translator
from edgeasr.translator import Translator

__all__ = ["add_parser"]

_MAX_BEAM = 64


def add_parser(commands: Commands) -> None:
    """Add the command's arguments."""
    parser = commands.add_parser("translate", help="translate texts, or lines from stdin")
    parser.add_argument("text", nargs="*", metavar="TEXT", help="without any, lines from stdin")
    parser.add_argument("--to", default="fr", help="language to translate to (default: fr)")
    parser.add_argument("--from", dest="source", default="en", help="language of the text")
    parser.add_argument("--beam", type=int, default=4, help="width of the beam (default: 4)")
    parser.add_argument("--json", action="store_true", help="one JSON object per line")
    parser.add_argument(
        "--attention", type=Path, metavar="FILE.png", help="draw what each word looked at"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Translate each text; one that can not be translated is named, the rest is served."""
    if not 1 <= arguments.beam <= _MAX_BEAM:
        raise ConfigError(f"--beam {arguments.beam}: give 1 to {_MAX_BEAM}")
    translator = load_translator(arguments.to, source=arguments.source)
    return serve_texts(arguments.text, lambda text: _translate(translator, text, arguments))


def _translate(translator: Translator, text: str, arguments: argparse.Namespace) -> None:
    result = translator.translate(text, beam=arguments.beam)
    if arguments.attention is not None:
        from edgeasr.attention_map import draw_attention  # noqa: PLC0415 - drawing is rare

        draw_attention(result, arguments.attention)
    if arguments.json:
        fields = {
            "source": text,
            "source_language": translator.source_language,
            "language": translator.target_language,
            "text": result.text,
            "confidence": round(result.confidence, 3),
            "doubtful": result.doubtful,
            "score": round(result.score, 4),
        }
        print_json(fields)
    else:
        print(result.text, flush=True)
        if result.doubtful:
            sys.stderr.write(f"edgeasr: doubtful: {result.text}\n")
