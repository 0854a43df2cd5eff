"""Writes small EDF and BDF files and the BIDS folders round them, for tests."""

from pathlib import Path

import numpy as np


def write_edf(
    path: Path,
    emg_TxC: np.ndarray,
    *,
    rate: int = 2000,
    per_record: int = 500,
    unit: str = "uV",
    gain: float = 1 / 256,
    labels: list[str] | None = None,
    annotations: bool = True,
    records: str | None = None,
    digital: tuple[int, int] | None = None,
    bits: int = 24,
    gaps: tuple[float, ...] | None = None,
) -> Path:
    """Write samples (a whole number of records) rounded to `gain` of the unit, and a signal of annotations last.

    Args:
        bits: 24 writes BDF, 16 EDF.
        gaps: seconds that each record begins later than the one before ended; writes a discontinuous file.
    """
    digital = digital or (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    sample_bytes = bits // 8
    samples, channels = emg_TxC.shape
    assert samples % per_record == 0
    count = samples // per_record
    names = (labels or [f"emg{i}" for i in range(channels)]) + [
        "BDF Annotations" if bits == 24 else "EDF Annotations"
    ] * annotations
    sizes = [per_record] * channels + [20] * annotations
    total = len(names)

    def column(values, width):
        return b"".join(str(value).encode("latin-1")[:width].ljust(width) for value in values)

    low, high = (f"{value * gain:.8g}"[:8] for value in digital)
    real_gain = (float(high) - float(low)) / (digital[1] - digital[0])
    head = (
        (b"\xffBIOSEMI" if bits == 24 else b"0".ljust(8))
        + b" " * 160
        + b"01.01.2001.01.01"
        + str(256 * (1 + total)).encode().ljust(8)
    )
    head += f"{'BDF' if bits == 24 else 'EDF'}+{'C' if gaps is None else 'D'}".encode().ljust(44) + (
        records or str(count)
    ).encode().ljust(8)
    head += f"{per_record / rate:.8g}"[:8].encode().ljust(8) + str(total).encode().ljust(4)
    head += column(names, 16) + column([""] * total, 80) + column([unit] * total, 8)
    head += column([low] * total, 8) + column([high] * total, 8)
    head += column([digital[0]] * total, 8) + column([digital[1]] * total, 8)
    head += column([""] * total, 80) + column(sizes, 8) + column([""] * total, 32)
    values = np.rint((emg_TxC.astype(np.float64) - float(low)) / real_gain).astype(np.int32) + digital[0]
    body, begin = bytearray(), 0.0
    for record in range(count):
        begin += (gaps or (0.0,) * count)[record] + (per_record / rate if record else 0)
        for channel in range(channels):
            stretch = values[record * per_record : (record + 1) * per_record, channel]
            body += stretch.astype("<i4").view(np.uint8).reshape(-1, 4)[:, :sample_bytes].tobytes()
        stamp = f"+{begin:.6g}\x14\x14".encode() if gaps is not None else b""
        body += stamp.ljust(20 * sample_bytes, b"\0") * annotations
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(head + bytes(body))
    return path


def write_bids(folder: Path, subject: str, session: str, emg_TxC: np.ndarray, rows: list[str], **options) -> Path:
    """One session of a BIDS folder; `rows` are the lines of its events file, the first its columns."""
    stem = folder / f"sub-{subject}" / f"ses-{session}" / "emg" / f"sub-{subject}_ses-{session}_task-typing"
    write_edf(stem.with_name(stem.name + "_emg.bdf"), emg_TxC, **options)
    stem.with_name(stem.name + "_events.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder
