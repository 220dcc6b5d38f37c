"""The conformance kit on the built-ins and on the first-party plugins."""

from __future__ import annotations

import mcbench.testing

test_methods = mcbench.testing.conformance(
    "method",
    "linear",
    "random-direction",
    "origin",
    "arc",
    "ot",
    "ot[end=permuted,cost=incoming]",
    "linear-wa",
    "linear-wa[cutoff=1e-6]",
    "arc-wa[cutoff=1e-6]",
    "ot-wa[cutoff=1e-6]",
    "linear-bfly",
    "ot-bfly[end=short]",
    "polychain",
    "bezier[bends=2,epochs=1]",
    "bezier[objective=length,epochs=1]",
    "polychain[objective=max,epochs=1]",
    "neb",
    "neb[pivots=2,steps=5,springs=force,tangent=central]",
    "autoneb",
    "iaf-flow",
    "realnvp-bijection",
)

test_metrics = mcbench.testing.conformance(
    "metric",
    "worst-accuracy",
    "worst-accuracy-refined",
    "end-accuracy",
    "mean-loss",
    "mean-loss-by-length",
    "highest-accuracy",
    "mean-accuracy-by-length",
    "highest-loss",
    "lowest-loss",
    "loss-with-decay",
    "barrier",
    "barrier-linear",
    "barrier-max",
    "accuracy-a",
    "accuracy-b",
    "midpoint-accuracy",
    "length",
    "length-ratio",
    "ensemble-ends",
    "ensemble-path",
    "ensemble-along",
    "wa-ensemble",
    "wa-storage",
    "hessian-top",
    "hessian-trace",
)

test_datasets = mcbench.testing.conformance(
    "dataset", "digits", "mnist", "imagefolder", "cifar10", "landscape"
)

test_architectures = mcbench.testing.conformance(
    "architecture",
    "mlp2[width=6]",
    "mlp[widths=(6,5),bias=false]",
    "mlp3[widths=(8,6)]",
    "conv2fc1[channels=(2,3)]",
    "vgg16[channels=2,head=4]",
    "vgg19[channels=2,head=4,norm=true]",
    "3conv3fc[factor=0.01,channels=(2,3,4)]",
    "cnn[width=3,depth=2,hidden=6]",
    "resnet8[width=4]",
    "resnet20[width=2,shortcut=padding]",
    "preresnet164[width=2]",
    "wrn28x10[factor=1]",
    "densenet40-12[growth=2]",
    "ring",
    "valley",
    "eggbox",
)

test_ensembles = mcbench.testing.conformance(
    "ensemble", "independent", "wa", "wa[head=2]", "fge", "sse", "swa"
)

test_matchings = mcbench.testing.conformance("matching", "identity", "ot", "ot[cost=incoming]")

test_interpolations = mcbench.testing.conformance("interpolation", "linear", "arc")

test_adjustments = mcbench.testing.conformance("adjustment", "none", "wa", "butterfly")

test_recipes = mcbench.testing.conformance("recipe", "quick", "anokhin2020-cifar10")

test_leaderboards = mcbench.testing.conformance("leaderboard", "icml2020-mnist")
