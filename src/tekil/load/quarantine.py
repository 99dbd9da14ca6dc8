"""Why a message can be quarantined. Codes are for ever; the sentences are for people."""

REASONS = {
    "not_an_object": "The message is not a JSON object.",
    "message_too_large": "The message is larger than 32 KB.",
    "type_missing": "The message does not say its type.",
    "type_unknown": "The type is none of track, identify, page, screen, group, alias, record.",
    "identifier_missing": "Neither userId nor anonymousId is given.",
    "identifier_not_text": "userId, anonymousId or previousId is an object or a list.",
    "identifier_too_long": "userId, anonymousId or previousId is longer than 512 characters.",
    "identifier_control": "userId, anonymousId or previousId holds a control character.",
    "identifier_blocked": "Neither userId nor anonymousId is anybody's: the identity policy blocks them.",
    "event_missing": "A track message needs the name of its event.",
    "event_not_text": "The event's name is an object or a list.",
    "previous_id_missing": "An alias message needs previousId.",
    "object_missing": "A record needs the name of its object.",
    "key_missing": "A record needs a key: an object with at least one member.",
    "timestamp_invalid": "The timestamp is no date; write one like 2026-01-31T12:00:00Z.",
    "timestamp_out_of_range": "The timestamp lies before 1970.",
    "properties_not_an_object": "properties is not an object.",
    "traits_not_an_object": "traits is not an object.",
    "context_not_an_object": "context is not an object.",
    "fields_not_an_object": "fields is not an object.",
    "nul_character": "An identifier, the event's name or a trait holds the NUL character.",
    "unreadable": "The whole body could not be taken apart.",
}
"""Reason code → what is wrong, in English; the console holds the Turkish."""
