"""A large tagger of one scheme, to teach the small one: BERT with two heads (Chen et al. 2019)."""

from torch import Tensor, nn

from training.models.bert import Bert

__all__ = ["TeacherNet"]


class TeacherNet(nn.Module):
    """Word pieces in, logits of intents and of every piece's labels out."""

    def __init__(self, bert: Bert, *, intents: int, labels: int) -> None:
        super().__init__()
        self.bert = bert
        self.dropout = nn.Dropout(bert.size.dropout)
        self.intent_head = nn.Linear(bert.size.width, intents)
        self.label_head = nn.Linear(bert.size.width, labels)

    def forward(self, pieces: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits: int64 [b, n] -> float32 [b, intents], [b, n, labels].

        A word's labels are those of its first piece. The mean of the states decides the intent:
        it is what the open weights were trained to make meaningful.
        """
        states = self.dropout(self.bert(pieces))
        return self.intent_head(states.mean(dim=1)), self.label_head(states)
