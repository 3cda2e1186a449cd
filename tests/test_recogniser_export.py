"""The exported steps say what the trained network says, and streaming equals the whole."""

import numpy as np
import onnxruntime
import pytest

from edgeasr.bundle import MODELS_FOLDER

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from training.export import check_parity, export_onnx  # noqa: E402 - after the skip
from training.four_bits import pack_four_bits, widen_four_bits  # noqa: E402
from training.models.recogniser import Dims, Recogniser  # noqa: E402
from training.recogniser_export import (  # noqa: E402
    STATE_FRAMES,
    CtcStep,
    EncoderStep,
    Subsample,
    _steps,
    export_bundle,
)
from training.recogniser_shipped import read_shipped  # noqa: E402
from training.shrink import pack_embedding  # noqa: E402

pytestmark = pytest.mark.train
SMALL = Dims(
    units=30, ctc_units=9, mels=8, width=24, heads=2, layers=3, ctc_width=16, text_units=12
)  # fmt: skip


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(3)
    model = Recogniser(SMALL).eval()
    model.encoder.positional_embedding.normal_()
    return model


@pytest.mark.parametrize("name", ["subsample", "encoder", "ctc", "memory", "decoder"])
def test_onnx_equals_torch(model, tmp_path, name):
    module, example, outputs, dynamic = _steps(model)[name]
    path = tmp_path / f"{name}.onnx"
    export_onnx(module, example, path, outputs=outputs, dynamic=dynamic, metadata={"a": "b"})
    assert check_parity(module, example, path, atol=1e-4) <= 1e-4


@pytest.mark.parametrize("chunk", [2, 4, 8])
def test_chunk_by_chunk_equals_the_whole_with_its_mask(model, chunk):
    """What the runtime computes with caches is what training computed with a mask."""
    frames = 16
    mel = torch.randn(1, 2 * frames, SMALL.mels)
    with torch.inference_mode():
        last, middle = model.encoder(mel, torch.tensor([frames]), chunk)
        expected = model.ctc(last, middle).log_softmax(-1)
        padded = torch.nn.functional.pad(mel, (0, 0, 2, 1))
        keep = torch.ones(1, 1, 2 * frames + 1)
        keep[..., 0] = 0
        x = Subsample(model)(padded, keep) + model.encoder.positional_embedding[:frames]
        keys = values = torch.zeros(SMALL.layers, 1, SMALL.heads, 0, SMALL.width // SMALL.heads)
        state, parts, ctc_parts = torch.zeros(1, 1, SMALL.ctc_width), [], []
        for start in range(0, frames, chunk):
            part, mid, new_keys, new_values = EncoderStep(model)(
                x[:, start : start + chunk], keys, values
            )
            keys = torch.cat([keys, new_keys], dim=3)
            values = torch.cat([values, new_values], dim=3)
            log_probs, state = CtcStep(model)(part, mid, state)
            parts.append(part)
            ctc_parts.append(log_probs)
    torch.testing.assert_close(torch.cat(parts, dim=1), last, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(torch.cat(ctc_parts, dim=1), expected, atol=1e-4, rtol=1e-4)


def test_a_whole_utterance_is_what_training_computes_and_leaves_a_short_state(model, tmp_path):
    frames = STATE_FRAMES + 30
    module, example, outputs, dynamic = _steps(model)["encoder"]
    path = tmp_path / "encoder.onnx"
    export_onnx(module, example, path, outputs=outputs, dynamic=dynamic, metadata={"a": "b"})
    mel = torch.randn(1, 2 * frames, SMALL.mels)
    with torch.inference_mode():
        expected, _ = model.encoder(mel, torch.tensor([frames]), None)
        x = model.encoder.subsample(mel) + model.encoder.positional_embedding[:frames]
        first = model.encoder.layers()[0]
        _, key, _ = first.attn.own(first.attn_ln(x))
    empty = np.zeros((SMALL.layers, 1, SMALL.heads, 0, SMALL.width // SMALL.heads), np.float32)
    inputs = {"x": x.numpy(), "past_keys": empty, "past_values": empty}
    last, _, keys, _ = onnxruntime.InferenceSession(str(path)).run(None, inputs)
    np.testing.assert_allclose(last, expected.numpy(), atol=1e-4)
    np.testing.assert_allclose(keys[0], key[:, :, -STATE_FRAMES:].numpy(), atol=1e-4)


@pytest.mark.parametrize(("chunk", "ahead"), [(STATE_FRAMES + 1, 0), (STATE_FRAMES, 1)])
def test_a_chunk_that_sees_more_than_the_state_is_refused(model, tmp_path, chunk, ahead):
    settings = {"chunk_frames": chunk, "ahead_frames": ahead}
    with pytest.raises(ValueError, match="STATE_FRAMES"):
        export_bundle(model, tmp_path, tmp_path / "out", settings)


def test_the_packed_decoder_reads_and_scores_the_rounded_embedding(tmp_path):
    """One 4-bit matrix serves both uses; a network of those very values answers the same."""
    model = Recogniser(Dims(units=40, ctc_units=9, width=64, heads=2, layers=1, text_units=12))
    packed = pack_four_bits(model.decoder.token_embedding.weight.detach().numpy())
    model.decoder.token_embedding.weight.data = torch.from_numpy(widen_four_bits(*packed))
    module, example, outputs, dynamic = _steps(model.eval())["decoder"]
    path = tmp_path / "decoder.onnx"
    export_onnx(module, example, path, outputs=outputs, dynamic=dynamic, metadata={"a": "b"})
    pack_embedding(path, embedding="decoder.token_embedding.weight", output="out")
    with torch.inference_mode():
        expected = module(*example.values())[0]
    inputs = {name: value.numpy() for name, value in example.items()}
    said = onnxruntime.InferenceSession(str(path)).run(["log_probs"], inputs)[0]
    np.testing.assert_allclose(said, expected.numpy(), rtol=0.01)  # the product rounds its input


def test_four_bits_keep_a_row_to_a_twentieth():
    matrix = np.random.default_rng(3).normal(size=(50, 384)).astype(np.float32)
    codes, scales = pack_four_bits(matrix)
    assert codes.nbytes == matrix.size // 2
    error = widen_four_bits(codes, scales) - matrix
    assert np.square(error).sum() < 0.01 * np.square(matrix).sum()


def test_training_can_go_on_from_the_shipped_weights():
    weights = read_shipped(MODELS_FOLDER / "recogniser-en")
    model = Recogniser(Dims(units=30, ctc_units=513))
    own = model.state_dict()
    fixed = {"encoder.positional_embedding", "decoder.token_embedding.weight"}
    assert set(own) - set(weights) == fixed
    assert all(own[name].shape == value.shape for name, value in weights.items())
    model.load_state_dict(weights, strict=False)
    module, example, *_ = _steps(model.eval())["memory"]
    session = onnxruntime.InferenceSession(str(MODELS_FOLDER / "recogniser-en" / "memory.onnx"))
    said = session.run(None, {name: value.numpy() for name, value in example.items()})
    with torch.inference_mode():
        expected = module(*example.values())
    for one, two in zip(said, expected, strict=True):  # the shipped network rounds its input
        assert np.corrcoef(one.ravel(), two.numpy().ravel())[0, 1] > 0.999
