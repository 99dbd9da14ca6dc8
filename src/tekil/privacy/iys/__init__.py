"""İYS (İleti Yönetim Sistemi): Turkey's register of consents for commercial messages.

`rules` says what it would accept, `client` speaks its API, `sync` keeps the two ledgers in step.
"""
