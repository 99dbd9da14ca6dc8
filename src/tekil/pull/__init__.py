"""Files to messages: rows of a CSV, JSONL, Parquet or Excel file go through the door like everyone else.

A row becomes one message, with an id made from the file's content, the mapping and the row's number; sending
the same file twice is therefore inert. A row that cannot be made into a good message is reported and sent as
it is: the loader quarantines it with its reasons, where it can be repaired and replayed. Nothing is dropped.
"""

from tekil.pull.compose import Composed, compose, to_messages
from tekil.pull.mapping import Mapping
from tekil.pull.rows import Row, file_digest, read_rows, rows_expected
from tekil.pull.send import Problem, Sent, send

__all__ = [
    "Composed",
    "Mapping",
    "Problem",
    "Row",
    "Sent",
    "compose",
    "file_digest",
    "read_rows",
    "rows_expected",
    "send",
    "to_messages",
]
