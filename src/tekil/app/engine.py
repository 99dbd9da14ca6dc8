"""The engine over an installation's three places."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from tekil.acquisition.sessions import touch_models
from tekil.acquisition.tables import TABLES as ACQUISITION_TABLES
from tekil.config import Config
from tekil.engine import Engine
from tekil.leads import LeadHearing, leads_said
from tekil.load.consents import consents_said
from tekil.log import open_log
from tekil.models import ACTIVITY, AFFILIATIONS, attributes, feature_model, person_models
from tekil.privacy import DayKeys, open_keys, open_vault
from tekil.privacy.ledger import open_ledger
from tekil.privacy.signals import ConsentSignals
from tekil.store import open_store
from tekil.warehouse import open_warehouse


@contextlib.contextmanager
def open_engine(config: Config) -> Iterator[Engine]:
    """Open the three places and the engine over them; close them at the end of the block.

    Raises `Unavailable` while another process owns the warehouse.
    """
    with contextlib.ExitStack() as places:
        store = open_store(config.resolve(config.store))
        places.callback(store.close)
        keys = open_keys(config, store)
        log = open_log(config.resolve(config.log), DayKeys(keys))
        places.callback(log.close)
        warehouse = open_warehouse(config.resolve(config.warehouse))
        places.callback(warehouse.close)
        models = [ACTIVITY, attributes(config.profile.trusted_sources), AFFILIATIONS]
        vault = open_vault(store, keys)
        ledger = open_ledger(store, vault, config.consent)
        heard, leads = ConsentSignals(ledger, config.consent), LeadHearing(ledger)
        yield Engine(
            log,
            warehouse,
            store,
            models,
            vault,
            defined=lambda definitions: [
                feature_model(definitions, config.workspace.timezone),
                *person_models(definitions),
                *touch_models(definitions, config.workspace.timezone),
            ],
            beside=ACQUISITION_TABLES,
            before_commit=[
                lambda staged: heard.record(consents_said(staged).to_pylist()),
                lambda staged: leads.hear(leads_said(staged)),
            ],
        )
