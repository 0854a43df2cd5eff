"""Which teacher can teach which student: classes, signal, frames and emission delays of the two decoders."""

from itertools import zip_longest

from semgjax.data.band import Band
from semgjax.data.keys import KEY_NAMES
from semgjax.errors import InputError
from semgjax.model.config import Network
from semgjax.training.run_config import RunConfig


def check_pair(student: Network, band: Band, teacher: RunConfig) -> None:
    """Check that a student's outputs can be compared with a teacher's.

    Both read the same signal and emit the same classes. Frames may differ in length where one is a multiple of the
    other, and emission delays in whole frames: the teacher's outputs are brought to the student's frames
    (`semgjax.losses.align`) and each network's frames are taken at its own delay.

    Args:
        band: of the student's sessions.

    Raises:
        InputError: the classes, the rings or the rate differ ("band-misfit"); the frames do not fit each other or the
            teacher's windows, or a delay is no whole number of frames or longer than these reach ("conflict").
    """
    check_classes(band, teacher.band)
    if band != teacher.band:
        raise InputError(
            f"the student's sessions have {band}; the teacher was trained on {teacher.band}: give sessions like its "
            "own",
            "band-misfit",
        )
    for name in ("channels", "classes", "rate"):
        ours, theirs = getattr(student, name), getattr(teacher.model, name)
        if ours != theirs:
            raise InputError(
                f"student and teacher differ in {name} ({ours} against {theirs}); make them equal", "conflict"
            )
    ours, theirs = student.stride, teacher.model.stride
    if ours % theirs and theirs % ours:
        raise InputError(
            f"student and teacher differ in stride ({ours} against {theirs} samples a frame); choose a student whose "
            "frame is a multiple of the teacher's, or the reverse",
            "conflict",
        )
    for name in ("length", "left", "right"):
        value = getattr(teacher.window, name)
        if value % ours:
            raise InputError(
                f"the teacher's window.{name} {value}, which a student takes over, is no multiple of the student's "
                f"stride ({ours} samples a frame); choose another student",
                "conflict",
            )
    if student.emission_delay > teacher.window.right:
        raise InputError(
            f"the teacher's window.right {teacher.window.right}, which a student takes over, is shorter than the "
            f"student's emission_delay {student.emission_delay}; give the student a delay as short, or train a teacher "
            "whose windows reach as far",
            "conflict",
        )
    ours, theirs = student.emission_delay, teacher.model.emission_delay
    if ours != theirs and (ours % student.stride or theirs % teacher.model.stride):
        raise InputError(
            f"student and teacher differ in emission_delay ({ours} against {theirs} samples), and one is no whole "
            "number of frames; make them equal",
            "conflict",
        )


def check_classes(ours: Band, theirs: Band) -> None:
    """
    Raises:
        InputError: a student's classes are not its teacher's, in their order ("band-misfit").
    """
    one, two = (KEY_NAMES if band.classes is None else band.classes for band in (ours, theirs))
    for number, (mine, its) in enumerate(zip_longest(one, two)):
        if mine != its:
            had = [f"has {name!r}" if name is not None else "has no more" for name in (mine, its)]
            raise InputError(
                f"class {number}: the student {had[0]}, its teacher {had[1]} ({len(one)} against {len(two)} classes); "
                "use a teacher of the same classes in the same order",
                "band-misfit",
            )
