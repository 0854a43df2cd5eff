"""`semgjax.load_session`: one recording, whose signal is read when it is sliced."""

from pathlib import Path

from semgjax.data.sessions import Session, load_sessions, open_session
from semgjax.errors import InputError


def load_session(path: str | Path, name: str | None = None) -> Session:
    """A session from its HDF5 file, or by its name from a folder of sessions or shards.

    Args:
        path: an HDF5 file of the emg2qwerty format, a shard, or a folder of either.
        name: name of the session in a folder.

    Returns:
        The session. `session.emg[a:b]` is float32 [b - a, channels] in the recording's own unit, left band first;
        `session.text` is the typed text, one glyph per key.

    Raises:
        InputError: the file or session does not exist or is damaged.

    Example:
        >>> session = semgjax.load_session("s.hdf5")
        >>> session.emg[:2000].shape
        (2000, 32)
    """
    place = Path(path)
    if not place.is_dir():
        if name is not None:
            raise InputError(f"{place}: is one session; give a name only with a folder", "conflict")
        return open_session(place)
    if name is None:
        raise InputError(f"{place}: is a folder; name the session, load_session(folder, name)", "bad-value")
    return load_sessions(place, [name])[0]
