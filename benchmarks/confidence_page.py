"""Writes docs/confidence.md and its chart out of what benchmarks/confidence.py measured."""

import platform
from collections.abc import Sequence
from pathlib import Path

from benchmarks.confidence_tables import DataFigures, Way
from docs.generators.markdown import fenced, page, paragraph, table
from shared.rating import SCALE
from shared.records import ConfidenceFigures

COMMAND = "TUNEDROP_TEST_DATA=../shared/data python -m benchmarks.confidence"
COVERAGES = (1.0, 0.8, 0.5)
WIDTH, HEIGHT, EDGE = 240, 200, 36
COLOURS = ("#777", "#2b6cb0", "#c05621")
DASHES = ("2 3", "6 3", "none")


def write_page(folder: Path, found: Sequence[DataFigures]) -> str:
    """Write both files into a folder, and return the page's text."""
    (folder / "confidence.svg").write_text(_chart(found), encoding="utf-8")
    text = _page(found)
    (folder / "confidence.md").write_text(text, encoding="utf-8")
    return text


def _page(found: Sequence[DataFigures]) -> str:
    rows = ", ".join(f"{item.test:,} of {item.name}" for item in found)
    return page(
        "<!-- Written by `python -m benchmarks.confidence`. -->",
        "# How far a confidence can be trusted",
        paragraph(
            "Measured with the local stand-in, which samples from a classifier that it tuned on "
            "the training rows: what follows is about voting, stopping and calibrating, and says "
            f"nothing about Gemini. Rows that it was not tuned on: {rows}. Calibrations are fitted "
            f"on {found[0].validation} other ones, as many as evaluation.max_rows."
        ),
        "## Confidence",
        paragraph(
            "ECE is the mean distance between confidence and share of right answers, in ten bins; "
            "Brier the mean squared error of the confidence; AUROC how well it tells right from "
            "wrong answers (0.5 is chance). Risk is the share of wrong answers among the most "
            "confident 100, 80 and 50 % of the rows. A single answer has no confidence and counts "
            "as certain; rows of equal confidence are taken at random. As served, sampling stops "
            "at 0.95, so that four samples that agree are not told from five: that costs a "
            "little of the ranking, and saves what is said under Samples. The accuracies are "
            "there too."
        ),
        table(
            ["data", "confidence", "ECE", "Brier", "AUROC", "risk at 100 %", "80 %", "50 %"],
            [_way_row(item.name, way) for item in found for way in item.ways],
        ),
        "![Risk and coverage](confidence.svg)",
        "## Ratings",
        paragraph(
            "For sentiment the model is also asked how likely its answer is right. It answers with "
            "one of seven words, with the ranges of the US intelligence community's directive ICD "
            "203 (2015), each taken for the middle of its range: "
            + ", ".join(f"{word} {middle:g}" for word, (_, middle) in SCALE.items())
            + ". Agreement and rating are blended as the mean of their log-odds. The rating's "
            "share of it, 0.25, 0.5 or 0.75, is the one with the lowest cross-validated "
            "Brier score on the validation rows; if none is at least 1 % better than agreement "
            "alone, it is 0, "
            "and documents are not rated. Here it came to "
            + " and ".join(
                f"{way.rating_weight:g} for {item.name}"
                for item in found
                for way in item.ways
                if way.rating_weight is not None
            )
            + ". The stand-in's rating is the word for the probability that its classifier gives, "
            "so it is as good as a rating can be; what a rating of Gemini's is worth, each "
            "evaluation finds out. That is why `serving.rating` is on: where it is worth nothing, "
            "it costs one short request a row in evaluation, and nothing for documents."
        ),
        "## Samples",
        paragraph(
            "How many samples count with `serving.stop_at`, beside a fixed number of the same "
            "samples. An endpoint that gives one answer a request is asked for exactly so many."
        ),
        table(
            ["data", "samples", "used", "winner of 5", "winner of 8", "accuracy"],
            [
                [
                    item.name,
                    row.name,
                    f"{row.used:.2f}",
                    f"{row.same_as_five:.1%}",
                    f"{row.same_as_eight:.1%}",
                    f"{row.accuracy:.3f}",
                ]
                for item in found
                for row in item.sampled
            ],
        ),
        paragraph(f"Measured with Python {platform.python_version()}; the seeds are fixed."),
        fenced("sh", COMMAND),
    )


def _way_row(name: str, way: Way) -> list[str]:
    figures = way.figures
    risks = [f"{_risk(figures, coverage):.3f}" for coverage in COVERAGES]
    auroc = "" if figures.auroc is None else f"{figures.auroc:.3f}"
    return [name, way.name, f"{figures.ece:.3f}", f"{figures.brier:.3f}", auroc, *risks]


def _risk(figures: ConfidenceFigures, coverage: float) -> float:
    """Return the risk at a coverage, between the two thresholds around it.

    Rows with one confidence are taken at random until there are enough of them.
    """
    taken = wrong = 0.0
    for point in figures.risk_coverage:
        if point.coverage >= coverage:
            more = (coverage - taken) / (point.coverage - taken)
            whole = point.coverage * point.risk
            return (wrong + more * (whole - wrong)) / coverage
        taken, wrong = point.coverage, point.coverage * point.risk
    return wrong / taken


def _chart(found: Sequence[DataFigures]) -> str:
    """Draw risk over coverage, a panel a data set."""
    panels = [_panel(item, number * (WIDTH + EDGE)) for number, item in enumerate(found)]
    names = ("a single answer", "agreement as served", "calibrated (rated, for sentiment)")
    keys = [
        f'<line x1="{EDGE + n * 250}" x2="{EDGE + n * 250 + 28}" y1="262" y2="262" '
        f'stroke="{COLOURS[n]}" stroke-width="2" stroke-dasharray="{DASHES[n]}"/>'
        f'<text x="{EDGE + n * 250 + 34}" y="266">{name}</text>'
        for n, name in enumerate(names)
    ]
    width = len(found) * (WIDTH + EDGE) + EDGE
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} 280" role="img" '
        'font-family="sans-serif" font-size="12">\n'
        "<title>Share of wrong answers among the most confident ones</title>\n"
        f'<rect width="{width}" height="280" fill="#fff"/>\n' + "\n".join([*panels, *keys]) + "\n"
        "</svg>\n"
    )


def _panel(item: DataFigures, left: int) -> str:
    ways = {way.name: way.figures for way in item.ways}
    shown = [ways["a single answer"], ways["agreement as served"], item.ways[-1].figures]
    coverages = [share / 50 for share in range(5, 51)]
    most = max(_risk(figures, share) for figures in shown for share in coverages) * 1.1
    lines = []
    for number, figures in enumerate(shown):
        heights = [1 - _risk(figures, share) / most for share in coverages]
        points = " ".join(
            f"{left + EDGE + WIDTH * share:.1f},{EDGE + HEIGHT * height:.1f}"
            for share, height in zip(coverages, heights, strict=True)
        )
        lines.append(
            f'<polyline points="{points}" fill="none" stroke="{COLOURS[number]}" '
            f'stroke-width="2" stroke-dasharray="{DASHES[number]}"/>'
        )
    bottom = EDGE + HEIGHT
    ticks = [
        f'<text x="{left + EDGE + WIDTH * share:.0f}" y="{bottom + 14}" text-anchor="middle">'
        f"{share:.0%}</text>"
        for share in (0, 0.5, 1)
    ]
    ticks += [
        f'<text x="{left + EDGE - 4}" y="{EDGE + HEIGHT * (1 - share):.0f}" text-anchor="end">'
        f"{share * most:.2f}</text>"
        for share in (0, 0.5, 1)
    ]
    start = left + EDGE
    title = f'<text x="{start}" y="24" font-weight="bold">{item.name}: risk by coverage</text>'
    axes = f'<path d="M{start} {EDGE}V{bottom}H{start + WIDTH}" fill="none" stroke="#999"/>'
    return "\n".join([title, axes, *ticks, *lines])
