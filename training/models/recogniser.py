"""The recogniser: Whisper's encoder and decoder taught to stream, with a CTC branch of its own.

Log-mel -> two convolutions (stride 2, 20 ms) -> four self-attention layers that see the past and
their own chunk (dynamic chunks, Zhang et al. 2020) -> CTC branch (Graves 2006) for partials, and a
cross-attention decoder (Radford et al. 2022; joint training as Watanabe et al. 2017).
"""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from training.four_bits import pack_four_bits, widen_four_bits
from training.models.attention import DecoderBlock, EncoderBlock, Pairs, as_bias, chunk_mask

__all__ = ["CtcBranch", "Decoder", "Dims", "Encoder", "Recogniser"]


@dataclass(frozen=True)
class Dims:
    """Sizes."""

    units: int
    """Decoder vocabulary"""
    ctc_units: int
    """CTC vocabulary, the blank included"""
    mels: int = 80
    width: int = 384
    heads: int = 6
    layers: int = 4
    ctc_width: int = 384
    ctc_layer: int = 2
    """The encoder layer whose output the CTC branch sees beside the last one's"""
    audio_frames: int = 1500
    text_units: int = 160


class Encoder(nn.Module):
    """Normalised log-mel to 20 ms states."""

    def __init__(self, dims: Dims) -> None:
        super().__init__()
        self.dims = dims
        self.positional_embedding: Tensor
        self.conv1 = nn.Conv1d(dims.mels, dims.width, 3, padding=1)
        self.conv2 = nn.Conv1d(dims.width, dims.width, 3, stride=2, padding=1)
        self.register_buffer("positional_embedding", torch.zeros(dims.audio_frames, dims.width))
        self.blocks = nn.ModuleList(
            [EncoderBlock(dims.width, dims.heads) for _ in range(dims.layers)]
        )
        self.ln = nn.LayerNorm(dims.width)

    def layers(self) -> list[EncoderBlock]:
        """Return the blocks, typed."""
        return cast("list[EncoderBlock]", list(self.blocks))

    def subsample(self, mel: Tensor) -> Tensor:
        """(B, T, mels) -> (B, T / 2, W), no positions yet."""
        x = F.gelu(self.conv1(mel.transpose(1, 2)))
        return F.gelu(self.conv2(x)).transpose(1, 2)

    def forward(self, mel: Tensor, lengths: Tensor, chunk: int | None) -> tuple[Tensor, Tensor]:
        """Return the last and the CTC layer's states, (B, T / 2, W) each.

        `mel` float [B, T, mels], `lengths` int [B] in 20 ms frames, `chunk` in 20 ms frames.
        """
        x = self.subsample(mel)
        x = x + self.positional_embedding[: x.shape[1]]
        bias = as_bias(chunk_mask(lengths, x.shape[1], chunk))
        middle = x
        for number, block in enumerate(self.layers(), 1):
            x = block(x, bias)
            if number == self.dims.ctc_layer:
                middle = x
        return self.ln(x), middle


class CtcBranch(nn.Module):
    """Two encoder layers' states -> 40 ms steps -> GRU -> unit logits; unit 0 is the blank."""

    def __init__(self, dims: Dims) -> None:
        super().__init__()
        self.middle_ln = nn.LayerNorm(dims.width)
        self.merge = nn.Linear(4 * dims.width, dims.ctc_width)
        self.gru = nn.GRU(dims.ctc_width, dims.ctc_width, batch_first=True)
        self.ln = nn.LayerNorm(dims.ctc_width)
        self.dropout = nn.Dropout(0.1)
        self.out = nn.Linear(dims.ctc_width, dims.ctc_units)

    def merged(self, last: Tensor, middle: Tensor) -> Tensor:
        """(B, T, W) twice -> (B, T / 2, ctc_width); T is even."""
        both = torch.cat([last, self.middle_ln(middle)], dim=-1)
        batch, frames, width = both.shape
        return F.gelu(self.merge(both.reshape(batch, frames // 2, 2 * width)))

    def forward(self, last: Tensor, middle: Tensor) -> Tensor:
        """Return logits (B, T / 2, ctc_units)."""
        x = self.merged(last, middle)
        with torch.autocast("cpu", enabled=False):  # oneDNN's bfloat16 GRU is the slower one
            states, _ = self.gru(x.float())
        logits: Tensor = self.out(self.dropout(self.ln(x + states)))
        return logits


class Decoder(nn.Module):
    """Text so far and the encoder's states to the logits of the next unit."""

    def __init__(self, dims: Dims) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(dims.units, dims.width)
        self.positional_embedding = nn.Parameter(torch.zeros(dims.text_units, dims.width))
        self.blocks = nn.ModuleList(
            [DecoderBlock(dims.width, dims.heads) for _ in range(dims.layers)]
        )
        self.ln = nn.LayerNorm(dims.width)

    def layers(self) -> list[DecoderBlock]:
        """Return the blocks, typed."""
        return cast("list[DecoderBlock]", list(self.blocks))

    def forward(self, units: Tensor, audio: Tensor, lengths: Tensor) -> Tensor:
        """Return logits [B, U, units] for int [B, U] units, states (B, T, W), lengths [B]."""
        return self.logits(self.states(units, audio, lengths))

    def logits(self, states: Tensor) -> Tensor:
        """(..., W) -> logits of the next unit."""
        return F.linear(states, self.token_embedding.weight)

    def states(self, units: Tensor, audio: Tensor, lengths: Tensor) -> Tensor:
        """Return the last layer, (B, U, W)."""
        return self.advance(units, [], self.memory(audio), self.heard(audio, lengths))[0]

    def memory(self, audio: Tensor) -> Pairs:
        """Return each layer's key and value heads of the encoder's output."""
        return [block.cross_attn.memory(audio) for block in self.layers()]

    def heard(self, audio: Tensor, lengths: Tensor) -> Tensor:
        """Return the bias of attention to states (B, T, W) of which `lengths` [B] are real."""
        return as_bias((torch.arange(audio.shape[1]) < lengths[:, None])[:, None, None])

    def advance(
        self, units: Tensor, past: Pairs, memory: Pairs, heard: Tensor
    ) -> tuple[Tensor, Pairs]:
        """Return the last layer (B, U, W) of units that follow those of `past`, and their past."""
        before = past[0][0].shape[2] if past else 0
        size = before + units.shape[1]
        x = self.token_embedding(units) + self.positional_embedding[before:size]
        causal = as_bias(torch.ones(size, size, dtype=torch.bool).tril())[before:]
        kept: Pairs = []
        for number, block in enumerate(self.layers()):
            query, key, value = block.attn.own(block.attn_ln(x))
            if past:
                key = torch.cat([past[number][0], key], dim=2)
                value = torch.cat([past[number][1], value], dim=2)
            kept.append((key, value))
            x = x + block.attn.attend(query, key, value, causal)
            x = block.feed(block.listen(x, memory[number], heard))
        normed: Tensor = self.ln(x)
        return normed, kept


class Recogniser(nn.Module):
    """Encoder, CTC branch and decoder."""

    CTC_FRAMES = 2
    """20 ms frames a step of the CTC branch"""

    def __init__(self, dims: Dims) -> None:
        super().__init__()
        self.dims = dims
        self.encoder = Encoder(dims)
        self.ctc = CtcBranch(dims)
        self.decoder = Decoder(dims)

    def load_whisper(self, weights: dict[str, Tensor], unit_ids: list[int]) -> None:
        """Take Whisper's weights; `unit_ids` are the kept rows of its vocabulary, in order.

        The embedding is never trained, so it is rounded to the 4 bits of the export right away
        and the layers learn to live with that.
        """
        weights = dict(weights)
        embedding = weights.pop("decoder.token_embedding.weight")
        packed = pack_four_bits(embedding[unit_ids].numpy())
        weights["decoder.token_embedding.weight"] = torch.from_numpy(widen_four_bits(*packed))
        positions = weights["decoder.positional_embedding"]
        weights["decoder.positional_embedding"] = positions[: self.dims.text_units]
        own = self.state_dict()
        taken = {name: weights[name] for name in own if name in weights}
        missing = [name for name in own if name not in taken and not name.startswith("ctc.")]
        if missing:
            raise ValueError(f"the weights lack {missing[0]} and {len(missing) - 1} more")
        self.load_state_dict(taken, strict=False)
        self.decoder.token_embedding.requires_grad_(requires_grad=False)
