"""Pictures of the atlas for the docs: ``python -m tests.gridding.atlas_pictures atlas.pdf 2 8``.

Page numbers as printed; the pictures are written to ``docs/images/atlas-N.png``.
"""

import sys
from pathlib import Path

import pypdfium2

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
SCALE = 1.2


def draw(file: Path, numbers: list[int]) -> list[Path]:
    written = []
    with pypdfium2.PdfDocument(file) as document:
        for number in numbers:
            picture = document[number - 1].render(scale=SCALE).to_pil().quantize(128, dither=0)
            written.append(IMAGES / f"atlas-{number}.png")
            picture.save(written[-1], optimize=True)
    return written


if __name__ == "__main__":
    draw(Path(sys.argv[1]), [int(number) for number in sys.argv[2:]])
