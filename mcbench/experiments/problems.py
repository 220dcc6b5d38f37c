"""`Problems` of a plan: one data set and one architecture, a problem for each recipe."""

from __future__ import annotations

import hashlib
import pathlib
from functools import cached_property

from mcbench.errors import UsageError
from mcbench.experiments.plan import Plan
from mcbench.plugins.host import host
from mcbench.problem import loading
from mcbench.problem.dataset import Data
from mcbench.problem.device import device_of
from mcbench.problem.problem import Problem
from mcbench.store.store import Store


class Problems:
    """The problems of a plan; they share the data, which are loaded with the first one.

    Arguments:
        plan: Names data set, architecture and recipes.
        store: Keeps decoded data.
        data_dir: The folder that is searched for data first.
        device: The device that problems compute on.
        loaded: The data and their fingerprint, if they are loaded already.

    Attributes:
        recipe: A's recipe, as text.
        two: Whether B has another recipe.

    Raises:
        UsageError: If a name is unknown, or the two recipes cannot be compared.
    """

    def __init__(
        self,
        plan: Plan,
        store: Store,
        data_dir: pathlib.Path | None,
        device: str,
        loaded: tuple[Data, str] | None = None,
    ) -> None:
        self.plan, self.store, self.data_dir = plan, store, data_dir
        self._device, self._loaded = device, loaded
        self._dataset = host().get("dataset", plan.dataset)
        self._architecture = host().get("architecture", plan.architecture)
        self.recipe = plan.recipe or self._dataset.recipe
        self._check_augmentation(self.recipe)
        self.two = self._differ()

    @cached_property
    def loaded(self) -> tuple[Data, str]:
        """The decoded data and their fingerprint."""
        return self._loaded or loading.load(self._dataset, self.data_dir, self.store)

    def of(self, recipe: str) -> Problem:
        """The problem whose endpoints a recipe trains."""
        self._check_augmentation(recipe)
        component = host().get("recipe", recipe)
        data, fingerprint = self.loaded
        if component.normalize != "none" and data.train.inputs.is_floating_point():
            # Floats were once left as they are, and so have another hash.
            fingerprint = hashlib.sha256(f"{fingerprint} normalized".encode()).hexdigest()
        identity = {
            "dataset": host().identity("dataset", self._dataset) | {"fingerprint": fingerprint},
            "architecture": host().identity("architecture", self._architecture),
            "recipe": host().identity("recipe", component),
        }
        device, seed = device_of(self._device), self.plan.protocol.seed
        return Problem(data, self._architecture, component, device, seed, identity)

    def _check_augmentation(self, recipe: str) -> None:
        component = host().get("recipe", recipe)
        if self.plan.protocol.augment and not component.augment:
            raise UsageError(
                f"recipe '{component.name}' has no augmentation to evaluate on: leave out "
                "--augmented-train"
            )

    def _differ(self) -> bool:
        """Whether B has another recipe than A, checked to be compatible."""
        plan, recipe = self.plan, host().get("recipe", self.recipe)
        other = host().get("recipe", plan.to_recipe) if plan.to_recipe else recipe
        recipe.check_scale(other, (self.recipe, plan.to_recipe), "joined by a path")
        differs = host().identity("recipe", other) != host().identity("recipe", recipe)
        if plan.same_seed and not differs:
            raise UsageError(
                "a pair of one seed joins networks of two recipes: name B's with --to-recipe"
            )
        return differs
