"""Write the page's colour maps, as 33 stops of the server's own tables: `python gateway/page/colormaps.py`."""

from pathlib import Path

from midas_server.imaging.colormaps import COLORMAPS, colour_table

STOPS = 33

if __name__ == "__main__":
    lines = []
    for name in COLORMAPS:
        table = colour_table(name)
        stops = [table[round(255 * stop / (STOPS - 1))] for stop in range(STOPS)]
        lines.append(f'  {name}: "{"".join(bytes(stop).hex() for stop in stops)}",')
    text = "// Made by colormaps.py: 33 colours of each map, from far to near, six hexadecimal digits each.\n"
    text += "export const COLORMAPS = {\n" + "\n".join(lines) + "\n};\n"
    (Path(__file__).parent / "src" / "colormaps.js").write_text(text)
