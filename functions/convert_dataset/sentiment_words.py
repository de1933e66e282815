"""What files call a sentiment: its column, and its labels from worst to best.

In English, German, French, Spanish, Italian, Portuguese, Dutch and Chinese.
"""

import re
from collections.abc import Collection

SENTIMENT_COLUMNS = (
    "sentiment", "rating", "polarity", "stars",
    "stimmung", "bewertung", "polarität", "polaritaet", "tonalität", "tonalitaet", "sterne",
    "polarité", "polarite", "tonalité", "tonalite", "étoiles", "etoiles",
    "sentimiento", "polaridad", "valoración", "valoracion", "estrellas",
    "sentimento", "polarità", "polarita", "valutazione", "stelle",
    "polaridade", "avaliação", "avaliacao", "estrelas",
    "stemming", "polariteit", "beoordeling", "sterren",
)  # fmt: skip
"""In lower case."""

_WORST_TO_BEST = (
    (
        "very negative", "sehr negativ", "très négatif", "tres negatif", "muy negativo",
        "molto negativo", "muito negativo", "zeer negatief", "heel negatief",
    ),
    (
        "negative", "neg", "negativ", "négatif", "negatif", "négative", "negativo", "negativa",
        "negatief", "负面", "差评",
    ),
    (
        "neutral", "mixed", "neutre", "neutro", "neutra", "neutrale", "neutraal", "gemischt",
        "mixte", "mitigé", "mitige", "mixto", "mixta", "misto", "mista", "gemengd", "中性",
    ),
    (
        "positive", "pos", "positiv", "positif", "positivo", "positiva", "positief", "正面", "好评",
    ),
    (
        "very positive", "sehr positiv", "très positif", "tres positif", "muy positivo",
        "molto positivo", "muito positivo", "zeer positief", "heel positief",
    ),
)  # fmt: skip
_RANKS = {word: rank for rank, words in enumerate(_WORST_TO_BEST) for word in words}


def worst_to_best(labels: Collection[str]) -> list[str] | None:
    """Put labels into their order; None when one of them is no word for a sentiment."""
    ranks = {label: _RANKS.get(re.sub(r"[\s_-]+", " ", label).lower()) for label in labels}
    known = [(rank, label) for label, rank in ranks.items() if rank is not None]
    return [label for _, label in sorted(known)] if len(known) == len(ranks) else None
