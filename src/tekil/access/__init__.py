"""Who may see and do what, and the record of what was done: pure rules, without any storage."""
