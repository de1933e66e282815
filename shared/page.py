"""Makes self-contained HTML pages: no network, no script; everything untrusted is escaped."""

from pathlib import Path

import jinja2


def render(template: Path, **values: object) -> bytes:
    """Fill in a template.

    Args:
        template: A Jinja template beside the caller; it extends page.html.j2.
        values: What it shows. Autoescaping is on.

    Returns:
        The page, in UTF-8.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([template.parent, Path(__file__).parent]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template.name).render(**values).encode()
