"""Provider hooks: they yield components of a kind."""

# The signatures are the documentation of arguments: the bodies are empty on purpose.

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from mcbench.plugins.hookspecs.markers import hookspec

if TYPE_CHECKING:
    import click


@hookspec
def mcbench_architectures() -> Iterable[Any]:  # type: ignore[empty-body]
    """Networks: ``name``, ``summary`` and ``build(input_shape, classes) -> torch.nn.Module``.

    Any module works unchanged. ``input_shape`` is (channels, height, width). ``build`` is called
    under the endpoint's seed, so that its initial weights are reproducible; lazy modules are
    completed with a batch of zeros. Optional: ``loss = "output"`` says that the output, shape
    (batch, 1), is the loss itself, a formula of the weights; it goes with data that say the same.

    Example::

        @dataclass(frozen=True)
        class Perceptron:
            name = "perceptron"
            summary = "one linear layer"
            bias: bool = mcbench.parameter(True, "whether it has a bias")

            def build(self, input_shape, classes):
                from torch import nn

                return nn.Sequential(nn.Flatten(), nn.LazyLinear(classes, bias=self.bias))


        @mcbench.hookimpl
        def mcbench_architectures():
            yield Perceptron()
    """


@hookspec
def mcbench_datasets() -> Iterable[Any]:  # type: ignore[empty-body]
    """Data sets: ``name``, ``summary``, ``find(directory)`` and ``read(directory)``.

    ``find`` returns the files that it would read, an empty list if it needs none, or ``None`` if
    they are not there. ``read`` returns `mcbench.Data`, of two `mcbench.Split`: inputs of shape
    (samples, channels, height, width), uint8 or float32, class indices as int64, and the value
    that stands for 1 in uint8 inputs. Optional: ``recipe``, the name of the recipe to use when
    none is named; ``download(directory)``; ``layout``, a text that says where files should be.

    Example::

        class Noise:
            name = "noise"
            summary = "pure noise in two classes"

            def find(self, directory):
                return []

            def read(self, directory):
                import torch

                g = torch.Generator().manual_seed(0)
                x = torch.randint(256, (100, 1, 8, 8), dtype=torch.uint8, generator=g)
                y = torch.arange(100) % 2
                return mcbench.Data(
                    mcbench.Split(x[:80], y[:80]), mcbench.Split(x[80:], y[80:]), ("a", "b")
                )


        @mcbench.hookimpl
        def mcbench_datasets():
            yield Noise()
    """


@hookspec
def mcbench_recipes() -> Iterable[Any]:  # type: ignore[empty-body]
    """Recipes: how endpoints are trained, as `mcbench.Recipe` objects.

    Example::

        @mcbench.hookimpl
        def mcbench_recipes():
            yield mcbench.Recipe("long", "the default, for longer", epochs=200, lr=0.05)
    """


@hookspec
def mcbench_methods() -> Iterable[Any]:  # type: ignore[empty-body]
    """Connection methods: ``name`` and ``connect(a, b, problem) -> mcbench.Path``.

    Optional: ``summary``, ``reference``, and ``needs``, a set of ``"data"``, ``"affine-chain"``,
    ``"permutation-groups"``, ``"pool"``; a method with a need that mcbench does not serve fails
    with a message that names it. Five more say what kind of method it is: ``explicit``, whether
    its points are a closed formula of A and B; ``learnable``, whether something is trained;
    ``baseline``, whether others are compared with it first; ``route``, the way in a few words;
    ``use``, when to use it. See `mcbench.Method` for a method that is fitted on a pool of
    networks, and `mcbench.Composition` for one that is made of parts.

    Example::

        class Linear:
            name = "straight"

            def connect(self, a, b, problem):
                return mcbench.segment(a.params, b.params)


        @mcbench.hookimpl
        def mcbench_methods():
            yield Linear()
    """


@hookspec
def mcbench_matchings() -> Iterable[Any]:  # type: ignore[empty-body]
    """Matchings of hidden neurons, a part of composed methods: ``match(a, b, incoming)``.

    It is given neurons as vectors, shape (n, d): incoming weights, bias if there is one, outgoing
    weights; ``incoming`` is the number of leading coordinates that are incoming weights. It
    returns indices p, shape (n,), int64, on the same device: neuron i of A goes with neuron p[i]
    of B.

    Example::

        class Reversed:
            name = "reversed"

            def match(self, a, b, incoming):
                import torch

                return torch.arange(len(b) - 1, -1, -1)


        @mcbench.hookimpl
        def mcbench_matchings():
            yield Reversed()
    """


@hookspec
def mcbench_interpolations() -> Iterable[Any]:  # type: ignore[empty-body]
    """Interpolations of matched neurons, a part of composed methods: ``interpolate(a, b, t)``.

    It gives the neurons at 0 < t < 1 from those of A and the matched ones of B, all of shape
    (n, d). It must tend to a for t to 0 and to b for t to 1; the ends are not asked for.

    Example::

        class Smooth:
            name = "smooth"

            def interpolate(self, a, b, t):
                s = t * t * (3 - 2 * t)
                return (1 - s) * a + s * b


        @mcbench.hookimpl
        def mcbench_interpolations():
            yield Smooth()
    """


@hookspec
def mcbench_adjustments() -> Iterable[Any]:  # type: ignore[empty-body]
    """Adjustments of points, a part of composed methods: ``prepare(stage, problem)``.

    It gives a function from a point of a leg and its time u in [0, 1] to the mended point, or
    ``None`` for no adjustment. ``stage`` is a `mcbench.Stage`. The function must leave the start
    of the leg as it is and be continuous. With ``along = False`` only the leg's end is mended.
    ``several(adjust, move, times)`` is optional: see `mcbench.Adjustment`.

    Example::

        class Keep:
            name = "keep"

            def prepare(self, stage, problem):
                return lambda params, u: params


        @mcbench.hookimpl
        def mcbench_adjustments():
            yield Keep()
    """


@hookspec
def mcbench_metrics() -> Iterable[Any]:  # type: ignore[empty-body]
    """Metrics: ``name``, ``summary``, ``unit``, ``better``, ``splits``, ``measure``.

    ``better`` is ``"higher"``, ``"lower"`` or ``""``. ``measure(evaluation, split)`` is asked for
    ``"train"`` and for ``"test"`` if ``splits``, else once, with ``None``; it returns a number, or
    a dictionary of numbers under names of their own. ``evaluation.curve`` has ``t``, ``grid``,
    ``position``, ``loss``, ``accuracy``, ``with_start``, ``ensembles``, ``straight``, ``end`` and
    ``square``;
    ``evaluation.problem``, ``evaluation.ends`` and ``evaluation.path`` are there for metrics that
    need more, and ``evaluation.workshop`` for those that compute for long. With
    ``ends_only = True`` it is measured once a pair for all methods; with ``usual = False`` only
    where it is named, as the costly ones are.

    Example::

        class Best:
            name = "best-accuracy"
            summary = "the highest accuracy along the path"
            unit = "%"
            better = "higher"
            splits = True

            def measure(self, evaluation, split):
                return max(evaluation.curve.accuracy[split])


        @mcbench.hookimpl
        def mcbench_metrics():
            yield Best()
    """


@hookspec
def mcbench_ensembles() -> Iterable[Any]:  # type: ignore[empty-body]
    """Ensembles: ``name``, ``summary`` and ``members(endpoints, problem)``, or snapshots.

    It gives one member, as parameters, for each endpoint, in their order; ``endpoints`` loads an
    endpoint when it is asked for. Softmax outputs of the members are averaged. What a member has
    in common with the first must be the same tensors, not copies: it is stored once, and layers
    at the bottom that are all in common are computed once, in what ``mcbench ensemble`` shows.
    An ensemble whose members come from trainings of its own, one or more from each, has
    ``start(recipe)``, ``epochs(recipe)`` and ``collect(start, problem)`` instead: see
    `mcbench.Snapshots`.

    Example::

        class Twice:
            name = "twice"
            summary = "the first network, again and again"

            def members(self, endpoints, problem):
                first = endpoints[0].params
                return (first for _ in endpoints)


        @mcbench.hookimpl
        def mcbench_ensembles():
            yield Twice()
    """


@hookspec
def mcbench_leaderboards() -> Iterable[Any]:  # type: ignore[empty-body]
    """Leaderboards: `mcbench.Board` objects, most simply read from their TOML declarations.

    The files in ``entries/`` beside a declaration are shown as published records.

    Example::

        @mcbench.hookimpl
        def mcbench_leaderboards():
            yield mcbench.Board.read(pathlib.Path(__file__).parent / "myboard" / "board.toml")
    """


@hookspec
def mcbench_ensemble_boards() -> Iterable[Any]:  # type: ignore[empty-body]
    """Leaderboards of ensembles by budget: `mcbench.EnsembleBoard` objects.

    What fills them is ``mcbench ensemble --budgets``; ``mcbench leaderboard show`` shows them.

    Example::

        @mcbench.hookimpl
        def mcbench_ensemble_boards():
            row = mcbench.EnsembleRow("Ind", "independent")
            yield mcbench.EnsembleBoard(
                "mine", "my ensembles", "nowhere", "digits", "mlp2", "quick", (1, 2), 4, (row,)
            )
    """


@hookspec
def mcbench_executors() -> Iterable[Any]:  # type: ignore[empty-body]
    """Executors: ``name`` and ``map(function, tasks) -> Iterable[result]``, in any order.

    Tasks are independent and each returns normally, also when its run failed.

    Example::

        class Backwards:
            name = "backwards"
            summary = "the last task first"

            def map(self, function, tasks):
                return (function(task) for task in reversed(tasks))


        @mcbench.hookimpl
        def mcbench_executors():
            yield Backwards()
    """


@hookspec
def mcbench_commands() -> Iterable[click.Command]:  # type: ignore[empty-body]
    """Further verbs of ``mcbench``, as click commands. A built-in verb's name cannot be taken.

    Example::

        @click.command()
        def hello():
            "Say hello."
            click.echo("hello")


        @mcbench.hookimpl
        def mcbench_commands():
            yield hello
    """
