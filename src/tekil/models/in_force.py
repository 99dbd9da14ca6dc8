"""Which models are in force: those that are always there, and those that definitions make."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tekil.definitions import Definition, stored
from tekil.identifiers import Policy
from tekil.identity import People
from tekil.models.audiences import AUDIENCE, AUDIENCES, STAGE
from tekil.models.cards import card_tables
from tekil.models.derive import derive_models, models_digest
from tekil.models.features import FEATURES
from tekil.models.memberships import Turned, stage_changes, standing_of_all, standing_of_touched
from tekil.models.model import Model
from tekil.models.profile import ACTIVITY
from tekil.models.renaming import follow
from tekil.models.scores import SCORES
from tekil.scores import GRADE, SCORE
from tekil.store import Definitions, Rename
from tekil.warehouse import Warehouse

Defined = Callable[[Sequence[Definition]], Sequence[Model]]
"""From the definitions in force to the models that they make: always of the same names."""


@dataclass(frozen=True, slots=True)
class InForce:
    """The models as of a revision of the definitions: `lasting`, and `made` by `defined` from them.

    `policy` says who is who; with another one, the rows of all models are others. `versions` are those of the
    audiences, chains of stages and grades, by name; `renames` are all there ever were of audiences.
    """

    lasting: tuple[Model, ...]
    defined: Defined
    revision: int
    made: tuple[Model, ...]
    policy: Policy
    versions: Mapping[str, int] = field(default_factory=dict)
    renames: tuple[Rename, ...] = ()

    @staticmethod
    def read(lasting: Sequence[Model], defined: Defined, definitions: Definitions) -> InForce:
        """Return what is in force now."""
        # The revision first: a change in between is then read once more, never missed.
        revision = definitions.revision()
        current = definitions.current()
        made = defined([stored(version) for version in current])
        versions = {
            f"{v.name}_{GRADE}" if v.kind == SCORE else v.name: v.version
            for v in current
            if v.kind in (AUDIENCE, STAGE, SCORE)
        }
        renames = tuple(definitions.renames(AUDIENCE))
        policy = Policy.read(definitions)
        return InForce(tuple(lasting), defined, revision, tuple(made), policy, versions, renames)

    @property
    def audiences(self) -> Model | None:
        """The model of all audiences, where definitions make one."""
        return next((model for model in self.made if model.name == AUDIENCES), None)

    @property
    def on_cards(self) -> tuple[Model, ...]:
        """The models made by definitions whose rows everybody's card holds."""
        return tuple(model for model in self.made if model.name in (FEATURES, SCORES))

    @property
    def models(self) -> tuple[Model, ...]:
        """All of them, in the order in which they are derived."""
        return (*self.lasting, *self.made)

    @property
    def digest(self) -> str:
        """What the warehouse's marks keep of the models: of those that last, and of those that are made."""
        parts = (self.lasting, self.made)
        return ".".join(models_digest(models, self.policy) for models in parts if models)

    def lasts_since(self, digest: str) -> bool:
        """Return whether persons and lasting models are those of a digest that was kept earlier, if any."""
        return digest.split(".")[0] in ("", self.digest.split(".")[0])

    @property
    def card_tables(self) -> tuple[str, ...]:
        """What cards are made of."""
        return card_tables(self.models)

    def has_cards_like(self, other: InForce) -> bool:
        """Return whether nobody's card differs between the two but by the audiences they are in."""
        return (self.on_cards, self.card_tables) == (other.on_cards, other.card_tables)

    def follow_renames(self, warehouse: Warehouse) -> bool:
        """Call what lasts of audiences by their names of now; return whether any had another."""
        return follow(warehouse, self.renames)

    def derive_touched(
        self, warehouse: Warehouse, people: People, events: str, traits: str, said: str | None
    ) -> Turned | None:
        """Stage all models of the persons of a refresh as `touched_…`; return how memberships turn.

        `said` is the relation of the events that were said just now, nothing where history was taken away.
        """
        audiences = self.audiences
        if audiences is None or not audiences.columns:
            derive_models(warehouse, self.models, people, events, traits, "touched_", {})
            return None
        standing = standing_of_touched(warehouse, people, f"touched_{ACTIVITY.name}", said)
        staged = derive_models(warehouse, self.models, people, events, traits, "touched_", standing.bindings)
        return stage_changes(warehouse, standing, audiences, staged[audiences.name], self.versions)

    def turn_all(self, warehouse: Warehouse, staged: Mapping[str, str]) -> Callable[[], None]:
        """Stage how everybody's memberships change by what is staged of models; return what writes it."""
        audiences = self.audiences
        if audiences is None:
            return lambda: None
        standing = standing_of_all(warehouse, staged.get(ACTIVITY.name, ACTIVITY.name))
        turned = stage_changes(warehouse, standing, audiences, staged[audiences.name], self.versions)
        return lambda: turned.write(anew=True)
