import io

import numpy as np
import pytest
import soundfile

from edgeasr.errors import AudioError
from edgeasr.sources import audio_chunks, decode_audio, read_audio

FORMATS = [("WAV", "PCM_16"), ("WAV", "FLOAT"), ("FLAC", "PCM_16"), ("OGG", "VORBIS"),
           ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III")]  # fmt: skip


def collect(path, chunks):
    for chunk in audio_chunks(path):
        chunks.append(chunk)


def tone(rate: int, seconds: float = 1.0) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * 440 * np.arange(int(rate * seconds)) / rate)


@pytest.mark.parametrize(("kind", "subtype"), FORMATS)
def test_every_format_is_read(wav, kind, subtype):
    path = wav(tone(16_000), name=f"tone.{kind.lower()}", format=kind, subtype=subtype)
    pcm = read_audio(path)
    assert len(pcm) == pytest.approx(16_000, abs=2_500)  # MP3 pads
    assert np.abs(pcm[4_000:12_000]).max() == pytest.approx(16_384, rel=0.1)


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 96_000])
def test_any_rate_becomes_16_khz(wav, rate):
    pcm = read_audio(wav(tone(rate), rate=rate))
    assert len(pcm) == pytest.approx(16_000, abs=2)
    spectrum = np.abs(np.fft.rfft(pcm.astype(float)))
    assert spectrum.argmax() * 16_000 / len(pcm) == pytest.approx(440, abs=2)


def test_channels_are_averaged(wav):
    stereo = np.stack([tone(16_000), -tone(16_000)], axis=1)
    assert np.abs(read_audio(wav(stereo))).max() <= 1


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "0 bytes"), (b"not audio at all\n" * 50, "not audio"), (b"RIFF\x00", "not audio")],
)
def test_what_is_not_audio_is_named(tmp_path, content, message):
    path = tmp_path / "bad.wav"
    path.write_bytes(content)
    with pytest.raises(AudioError, match=message) as caught:
        read_audio(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    for path, said in ((tmp_path / "none.wav", "no such file"), (tmp_path, "this is a folder")):
        with pytest.raises(AudioError, match=said):
            read_audio(path)


@pytest.mark.parametrize(("kind", "subtype"), [f for f in FORMATS if f[0] != "MP3"])
def test_a_truncated_file_gives_what_it_has_and_says_so(wav, kind, subtype):
    hiss = np.random.default_rng(1).uniform(-0.5, 0.5, 80_000)
    path = wav(hiss, name="cut." + kind.lower(), format=kind, subtype=subtype)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 6 // 10])
    chunks = []
    with pytest.raises(AudioError, match=r"truncated|damaged"):
        collect(path, chunks)
    assert sum(map(len, chunks)) > 16_000


def test_a_header_alone_is_refused(wav):
    with pytest.raises(AudioError, match="no samples"):
        read_audio(wav(np.zeros(0, np.int16)))


def test_nan_samples_are_refused(wav):
    samples = tone(16_000)
    samples[100] = np.nan
    with pytest.raises(AudioError, match="NaN"):
        read_audio(wav(samples, subtype="FLOAT"))


def test_too_long_is_refused_before_it_is_decoded(wav):
    with pytest.raises(AudioError, match="at most 2 s"):
        next(audio_chunks(wav(tone(16_000, 3.0)), max_s=2.0))


def test_a_wave_header_of_a_stream_is_accepted(wav):
    """`arecord` into a pipe can not know the length and writes the greatest."""
    path = wav(tone(16_000))
    content = bytearray(path.read_bytes())
    at = content.index(b"data")
    content[at + 4 : at + 8] = b"\xff\xff\xff\xff"
    path.write_bytes(bytes(content))
    assert len(read_audio(path)) == 16_000


def test_bytes_decode_like_files():
    file = io.BytesIO()
    soundfile.write(file, tone(16_000), 16_000, format="FLAC")
    file.seek(0)
    assert sum(map(len, decode_audio(file, name="body", max_s=60))) == 16_000
