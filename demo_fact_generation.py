"""The published demonstration: `python demo_fact_generation.py` runs the one in `examples/`."""

import runpy
from pathlib import Path

if __name__ == "__main__":
    script = Path(__file__).parent / "examples" / "demo_fact_generation.py"
    runpy.run_path(str(script), run_name="__main__")
