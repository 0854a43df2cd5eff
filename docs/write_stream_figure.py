"""Write docs/figures/stream.png: the live page while a simulated session is replayed.

`python -m docs.write_stream_figure FOLDER`: FOLDER keeps the sessions and the decoder, so that another picture takes
less than a minute. It needs a Chromium.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

from tests.chromium import MISSING, PROGRAM, chromium

FIGURE = Path(__file__).parent / "figures" / "stream.png"
SECONDS = 30
WIDTH = 1200
COLOURS = 128


def make_decoder(folder: Path) -> None:
    """Sessions of six people and a decoder that knows five of them: minutes of one core."""
    for made, words in {
        "people": "data simulate people --users 6 --sessions 3 --minutes 2 --seed 3 --severity clean",
        "people/splits.json": "data splits people --test-users 1",
        "run/result.json": "train --preset keys-32 --train.steps 1200 --train.batch 8 --data people --out run",
        "typing-decoder": "export run --out typing-decoder",
    }.items():
        if not (folder / made).exists():
            subprocess.run([sys.executable, "-m", "semgjax", *words.split()], cwd=folder, check=True)


def write_picture(folder: Path, out: Path, width: int = WIDTH, dark: bool = False) -> None:
    """The page after half a minute of a session of the person whom the decoder has not met."""
    session = json.loads((folder / "people" / "splits.json").read_text())["test"][0]
    words = ["stream", "typing-decoder", "--source", f"people/{session}.hdf5", "--web", "--port=0"]
    stream = subprocess.Popen(
        [sys.executable, "-m", "semgjax", *words],
        cwd=folder, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        assert stream.stderr is not None
        address = next(found[0] for line in stream.stderr if (found := re.search(r"http://\S+", line)))
        with tempfile.TemporaryDirectory() as made, chromium(Path(made) / "profile") as new_tab:
            tab = new_tab()
            tab.go(address)
            tab.wait(f"document.getElementById('time').textContent >= '0:{SECONDS}'")
            tab.screenshot(Path(made) / "shot.png", width, dark=dark)
            with Image.open(Path(made) / "shot.png") as shot:
                few = shot.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
                few.save(out, optimize=True)
    finally:
        stream.kill()
        stream.wait()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("name a folder: python -m docs.write_stream_figure FOLDER")
    if PROGRAM is None:
        sys.exit(MISSING)
    place = Path(sys.argv[1])
    place.mkdir(parents=True, exist_ok=True)
    make_decoder(place)
    write_picture(place, FIGURE)
