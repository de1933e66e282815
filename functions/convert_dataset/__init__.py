"""Turns an uploaded file with labels into Gemini tuning lines, and says what is in it.

upload.py says what an upload means; convert.py takes one file through the rest:
opening.py (unpacked, in UTF-8, its format, columns and task; reading/ and formats/) → labelled.py
(rows become examples) → survey.py (first pass: a few numbers a row, and a sample) → judge.py
(checks/ and the task's policy, then splits.py) → write.py (second pass: lines and quarantine)
→ report.py.
"""
