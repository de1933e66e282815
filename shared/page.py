"""Makes self-contained HTML pages: no network, and no script needed to read them.

Everything untrusted is escaped, also against characters that would turn or hide what follows.
"""

import re
from functools import cache
from pathlib import Path

import jinja2

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb"
    "\ufffe\uffff\ud800-\udfff]"
)
"""Control characters other than tab and line feed, separators, and what overrides a direction."""


def render(template: Path, **values: object) -> bytes:
    """Fill in a template.

    Args:
        template: A Jinja template beside the caller; it extends page.html.j2.
        values: What it shows. Autoescaping is on, and `show_controls` goes over every text.

    Returns:
        The page, in UTF-8.
    """
    return _environment(template.parent).get_template(template.name).render(**values).encode()


@cache
def _environment(folder: Path) -> jinja2.Environment:
    """Return what compiles a folder's templates, each once a process: that is most of a page."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader([folder, Path(__file__).parent]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=show_controls,
    )


def show_controls(value: object) -> object:
    """Write control characters so that they are seen and do nothing; leave all else as it is.

    Each becomes its code in brackets: a text with a right-to-left override then cannot turn the
    words of the page around.
    """
    if not isinstance(value, str) or hasattr(value, "__html__"):
        return value
    return _UNSEEN.sub(lambda found: f"[U+{ord(found[0]):04X}]", value)
