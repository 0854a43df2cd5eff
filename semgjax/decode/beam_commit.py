"""A beam search without an end: what all its hypotheses agree on is given out, and only the rest is kept.

`beam` returns a history of every frame. A stream folds it into the labels that each hypothesis adds to what was given
out, so that memory depends on these and not on the time that has passed.
"""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from semgjax.decode.beam import BeamSearch, advance, begin, ranked
from semgjax.decode.beam_options import Hypothesis
from semgjax.decode.beam_step import Prefixes, without
from semgjax.errors import InputError

_Added = tuple[tuple[int, int], ...]


@dataclass(frozen=True, eq=False)
class Stream:
    """A search that is under way; no function changes one.

    Attributes:
        state: of the beam.
        pending: for each row and entry, the (label, frame) that are not committed; nothing for entries without mass.
    """

    state: Prefixes
    pending: tuple[tuple[_Added, ...], ...]


@dataclass(frozen=True)
class Committed:
    """Labels that no later emission changes.

    Attributes:
        labels: classes, int32 [N]; backspace is one of them, and may come after what it removes is committed.
        frames: of each label, counted from the stream's first, int32 [N].
    """

    labels: np.ndarray
    frames: np.ndarray


def begin_stream(search: BeamSearch, rows: int = 1) -> Stream:
    """A stream before its first frame.

    Example:
        >>> import numpy as np
        >>> from semgjax.decode.beam import make_beam_search
        >>> search = make_beam_search(glyphs=("a", "b"))
        >>> stream = extend(search, begin_stream(search), np.log([[[0.9, 0.05, 0.05]] * 3]))
        >>> [found.labels.tolist() for (found,) in uncommitted(search, stream)]
        [[0]]
    """
    return Stream(begin(search, rows), (((),) * search.options.beam,) * rows)


def extend(
    search: BeamSearch, stream: Stream, emissions_BxTxK: np.ndarray, frames_B: np.ndarray | None = None
) -> Stream:
    """The stream after the next frames; arguments and errors as those of `beam.advance`."""
    first_B = np.asarray(stream.state.frames)
    state, history = advance(search, stream.state, emissions_BxTxK, frames_B)
    live = ranked(search, state, search.options.beam)
    pending = []
    for row, first in enumerate(first_B.tolist()):
        history_TxM = history[history[:, row, 0] >= 0, row]
        entries = [entry for entry, _ in live[row]]
        pending.append(_folded(stream.pending[row], history_TxM, entries, first, search.classes))
    return Stream(state, tuple(pending))


def commit(stream: Stream, most: int | None = None) -> tuple[list[Committed], Stream]:
    """For each row, what all live hypotheses begin with; and the stream without it.

    Hypotheses agree where both labels and frames are equal, so that what is committed and then `uncommitted` are
    together the hypotheses of the whole search. But two that differ in one old key may stay side by side for long,
    and nothing after that key is committed meanwhile.

    Args:
        most: labels of the best hypothesis that may stay uncommitted; those before them are committed as it has them,
            and hypotheses that differ there are removed, which is a narrower search. None: any number, no removal.

    Raises:
        InputError: most below 0 ("bad-value").

    Example:
        >>> import numpy as np
        >>> from semgjax.decode.beam import make_beam_search
        >>> search = make_beam_search(glyphs=("a", "b"))
        >>> sure = np.full((1, 3, 3), -np.inf)
        >>> sure[0, [0, 1, 2], [0, 2, 1]] = 0.0
        >>> (row,), stream = commit(extend(search, begin_stream(search), sure))
        >>> row.labels.tolist(), row.frames.tolist()
        ([0, 1], [0, 2])
    """
    if most is not None and most < 0:
        raise InputError(f"most: value {most}; give 0 or more", "bad-value")
    live_BxM = np.asarray(stream.state.length_M) >= 0
    committed, pending, kept_BxM = [], [], live_BxM.copy()
    for row, entries in enumerate(stream.pending):
        best = entries[0]  # a beam is sorted
        settled = best[: 0 if most is None else max(len(best) - most, 0)]
        for entry in np.flatnonzero(live_BxM[row]):
            kept_BxM[row, entry] = entries[entry][: len(settled)] == settled
        shared = _shared([added for added, is_kept in zip(entries, kept_BxM[row], strict=True) if is_kept])
        committed.append(Committed(*_arrays(best[:shared])))
        pending.append(tuple(a[shared:] if is_kept else () for a, is_kept in zip(entries, kept_BxM[row], strict=True)))
    removed_BxM = live_BxM & ~kept_BxM
    state = without(stream.state, jnp.asarray(removed_BxM)) if removed_BxM.any() else stream.state
    return committed, Stream(state, tuple(pending))


def uncommitted(search: BeamSearch, stream: Stream, best: int = 1) -> list[list[Hypothesis]]:
    """What the best hypotheses of each row add to what was committed, best first, with the scores of the whole.

    Raises:
        InputError: best below 1 ("bad-value").
    """
    if best < 1:
        raise InputError(f"best: value {best}; give 1 or more", "bad-value")
    found = []
    for entries, ranks in zip(stream.pending, ranked(search, stream.state, best), strict=True):
        parts = [(_arrays(entries[entry]), score) for entry, score in ranks]
        found.append([Hypothesis(labels, score, frames) for (labels, frames), score in parts])
    return found


def _folded(
    before: tuple[_Added, ...], history_TxM: np.ndarray, live: list[int], first: int, classes: int
) -> tuple[_Added, ...]:
    """What each live entry adds after the frames of a history that began at frame `first`."""
    at = np.array(live, np.int64)
    new: list[list[tuple[int, int]]] = [[] for _ in live]
    for frame in range(len(history_TxM) - 1, -1, -1):
        at, label = np.divmod(history_TxM[frame, at], classes)
        for which in np.flatnonzero(label):
            new[which].append((int(label[which]) - 1, first + frame))
    after: list[_Added] = [()] * len(before)
    for entry, source, added in zip(live, at.tolist(), new, strict=True):
        after[entry] = (*before[source], *reversed(added))
    return tuple(after)


def _shared(live: list[_Added]) -> int:
    """Length of the longest common beginning."""
    # All lie between the least and the greatest in the order of tuples, and so does what these two share.
    least, greatest = min(live), max(live)
    pairs = zip(least, greatest, strict=False)
    return next((at for at, (one, other) in enumerate(pairs) if one != other), min(len(least), len(greatest)))


def _arrays(added: _Added) -> tuple[np.ndarray, np.ndarray]:
    table_Nx2 = np.array(added, np.int32).reshape(-1, 2)
    return table_Nx2[:, 0], table_Nx2[:, 1]
