"""What files of public data sets come to; tests/unit/test_intake_public_data.py holds it."""

HEADS = ("file", "read as", "task", "rows", "examples", "exact-duplicates", "conflicting-labels")
COUNTS: tuple[tuple[str, str, str, int, int, int, int], ...] = (
    ("ae110k_products/train.jsonl", "json", "extraction", 1568, 1567, 1, 0),
    ("ae110k_products/test.jsonl", "json", "extraction", 524, 524, 0, 0),
    ("amazon_cells/amazon_cells_labelled.tsv", "csv", "classification", 1000, 987, 13, 0),
    ("banking77/train.csv", "csv", "classification", 10003, 9999, 4, 0),
    ("banking77/test.csv", "csv", "classification", 3080, 3079, 1, 0),
    ("cluener_zh/train.json", "doccano", "extraction", 10748, 10748, 0, 0),
    ("cluener_zh/dev.json", "doccano", "extraction", 1343, 1343, 0, 0),
    ("goemotions/train.tsv", "csv", "classification", 43410, 43140, 128, 142),
    ("goemotions/dev.tsv", "csv", "classification", 5426, 5420, 3, 3),
    ("goemotions/test.tsv", "csv", "classification", 5427, 5421, 5, 1),
    ("mit_movie/engtrain.bio.txt", "conll", "extraction", 9775, 9725, 34, 16),
    ("mit_movie/engtest.bio.txt", "conll", "extraction", 2443, 2442, 1, 0),
    ("openai_chat_jsonl/dbpedia_samples.jsonl", "json", "classification", 200, 200, 0, 0),
    ("sms_spam/sms.tsv", "csv", "classification", 5574, 5159, 415, 0),
    ("sroie_keys", "json", "extraction", 626, 623, 1, 2),
    ("sst5/sst_train.txt", "fasttext", "classification", 8544, 8534, 10, 0),
    ("sst5/sst_dev.txt", "fasttext", "classification", 1101, 1100, 1, 0),
    ("sst5/sst_test.txt", "fasttext", "classification", 2210, 2210, 0, 0),
    ("thucnews_titles_zh/dev.txt", "csv", "classification", 10000, 9993, 7, 0),
    ("thucnews_titles_zh/test.txt", "csv", "classification", 10000, 9988, 10, 2),
    ("trec/TREC.train.all", "label-first", "classification", 5452, 5380, 72, 0),
    ("trec/TREC.test.all", "label-first", "classification", 500, 500, 0, 0),
    ("usaddress/labeled.xml", "tagged-xml", "extraction", 1513, 1487, 26, 0),
    ("usaddress/us50_train_tagged.xml", "tagged-xml", "extraction", 50, 50, 0, 0),
    ("waimai_10k_zh/waimai_10k.csv", "csv", "classification", 11987, 11973, 0, 14),
    ("wnut17/wnut17train.conll", "conll", "extraction", 3394, 3280, 90, 24),
    ("wnut17/emerging.dev.conll", "conll", "extraction", 1009, 1005, 3, 1),
    ("wnut17/emerging.test.annotated", "conll", "extraction", 1287, 1279, 6, 2),
)
"""One line a file, with what HEADS names; nothing else was quarantined."""

NOISE_HEADS = ("file", "rows", "precision", "recall", "flagged when clean")
NOISE = (
    ("banking77/train.csv", "9,997", "0.94", "0.59", "24"),
    ("sms_spam/sms.tsv", "5,156", "0.97", "0.54", "5"),
    ("thucnews_titles_zh/dev.txt", "9,993", "0.84", "0.51", "52"),
    ("trec/TREC.train.all", "5,380", "0.84", "0.50", "27"),
    ("waimai_10k_zh/waimai_10k.csv", "10,000", "0.70", "0.28", "129"),
)
"""What `python -m benchmarks.label_noise` printed on 2026-11-22, without its times."""
