"""A recogniser from scratch, to compare with: unidirectional GRU, CTC head, attention decoder.

Log-mel -> three causal convolutions (stride 2 each, 80 ms) -> GRU layers that never look ahead ->
linear CTC head (Graves 2006) and cross-attention decoder (as Chan et al. 2016 listen and spell),
trained jointly (Watanabe et al. 2017). It is called as `training.models.recogniser.Recogniser` is.
"""

from torch import Tensor, nn
from torch.nn import functional as F

from training.models.recogniser import Decoder, Dims

__all__ = ["GruRecogniser"]

DROPOUT = 0.1


class GruEncoder(nn.Module):
    """Normalised log-mel to 80 ms states; a state knows nothing of what comes after it."""

    def __init__(self, dims: Dims, layers: int) -> None:
        super().__init__()
        widths = (dims.mels, dims.width, dims.width)
        self.convs = nn.ModuleList([nn.Conv1d(width, dims.width, 3, stride=2) for width in widths])
        self.conv_ln = nn.LayerNorm(dims.width)
        self.gru = nn.GRU(dims.width, dims.width, layers, batch_first=True, dropout=DROPOUT)
        self.ln = nn.LayerNorm(dims.width)

    def forward(self, mel: Tensor, lengths: Tensor, chunk: int | None) -> tuple[Tensor, Tensor]:  # noqa: ARG002 - as the other encoder
        """Return the states (B, T / 8, W), twice: the CTC head sees what the decoder sees.

        `mel` float [B, T, mels]; it needs neither lengths nor chunks, since padding comes last.
        """
        x = mel.transpose(1, 2)
        for conv in self.convs:
            x = F.gelu(conv(F.pad(x, (2, 0))))
        states, _ = self.gru(self.conv_ln(x.transpose(1, 2)))
        normed = self.ln(states)
        return normed, normed


class CtcHead(nn.Module):
    """States to unit logits; unit 0 is the blank."""

    def __init__(self, dims: Dims) -> None:
        super().__init__()
        self.dropout = nn.Dropout(DROPOUT)
        self.out = nn.Linear(dims.width, dims.ctc_units)

    def forward(self, last: Tensor, middle: Tensor) -> Tensor:  # noqa: ARG002 - one and the same
        """Return logits (B, T / 8, ctc_units)."""
        logits: Tensor = self.out(self.dropout(last))
        return logits


class GruDecoder(Decoder):
    """The recogniser's decoder over 80 ms states; lengths are of 20 ms frames, as everywhere."""

    def __init__(self, dims: Dims) -> None:
        super().__init__(dims)
        nn.init.normal_(self.token_embedding.weight, std=dims.width**-0.5)
        nn.init.normal_(self.positional_embedding, std=dims.width**-0.5)

    def heard(self, audio: Tensor, lengths: Tensor) -> Tensor:
        """Return the bias of attention to the states."""
        return super().heard(audio, -(-lengths // GruRecogniser.CTC_FRAMES))


class GruRecogniser(nn.Module):
    """Encoder, CTC head and decoder, nothing of them learnt before."""

    CTC_FRAMES = 4

    def __init__(self, dims: Dims, *, gru_layers: int = 3) -> None:
        """Of `dims`, `layers` is the decoder's; the fields of the CTC branch are unused."""
        super().__init__()
        self.dims = dims
        self.encoder = GruEncoder(dims, gru_layers)
        self.ctc = CtcHead(dims)
        self.decoder = GruDecoder(dims)
