"""`python -m benchmarks [NAME ...]`: runs the benchmark scripts of this folder, all or the named ones."""

import runpy
import sys
from pathlib import Path


def main(names: list[str]) -> int:
    """Run the scripts of this folder by name. Returns 2 for a name that is none of them."""
    scripts = {path.stem: path for path in sorted(Path(__file__).parent.glob("*.py")) if path.stem[0] != "_"}
    if not scripts:
        print("There are no benchmarks yet: each will be one script in benchmarks/.")
        return 2 if names else 0
    for name in names or scripts:
        if name not in scripts:
            known = ", ".join(scripts)
            print(f"benchmarks: error: no benchmark {name!r}; there are {known}", file=sys.stderr)
            return 2
        print(f"== {name}", flush=True)
        runpy.run_path(str(scripts[name]), run_name="__main__")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
