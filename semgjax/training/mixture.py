"""What a run makes of the unlabelled sessions of its corpus: a distilled run learns from them, others ignore them."""

from collections.abc import Sequence

from semgjax.data.corpus import Corpus
from semgjax.data.sessions import Session
from semgjax.training.run_config import RunConfig


def unlabelled_of(config: RunConfig, corpus: Corpus) -> tuple[Sequence[Session], float | None]:
    """The unlabelled sessions that a run learns from, and their share of a batch (None: by their number)."""
    if config.distill is None or config.distill.unlabelled == 0:
        return (), None
    return corpus.unlabelled, config.distill.unlabelled


def ignored(config: RunConfig, corpus: Corpus) -> tuple[str, ...]:
    """A warning where a run does not use the unlabelled sessions; () if it does, or there are none."""
    if not corpus.unlabelled or unlabelled_of(config, corpus)[0]:
        return ()
    return (f"{len(corpus.unlabelled)} unlabelled sessions are not used: only a teacher can say what they hold",)
