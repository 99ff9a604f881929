"""Every word with a dotted line is explained, and none is explained that no page uses."""

import re
from pathlib import Path

from streams.web.pages.glossary import DEFINITIONS

TEMPLATES = Path("streams/web/pages/templates")


def test_every_explained_word_is_used_and_every_used_word_is_explained() -> None:
    texts = "".join(file.read_text() for file in TEMPLATES.iterdir())
    used = set(re.findall(r"part\.term\('([^']+)'", texts)) | set(re.findall(r"definitions\['([^']+)'\]", texts))
    used |= set(re.findall(r"figure\('\w+', '([^']+)'", texts)) | {"Completed", "Exited", "Failed"}
    assert used == set(DEFINITIONS)
