"""The limits of Segment's public HTTP API, which every SDK already keeps."""

MESSAGE_SIZE_MAX = 32 * 1024
"""Bytes of one message, as sent."""

BATCH_SIZE_MAX = 500 * 1024
"""Bytes of one request's body, decompressed."""

BATCH_MESSAGES_MAX = 2_500
"""Messages in one batch."""

DEPTH_MAX = 64
"""Levels of nested objects and arrays in one body; deeper ones are an attack, not an event."""
