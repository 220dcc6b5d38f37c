"""Data sets: found, decoded once, fingerprinted; what is missing is said in one line."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from mcbench.errors import DataNotFoundError, UsageError
from mcbench.experiments.plan import Plan
from mcbench.experiments.problems import Problems
from mcbench.plugins.host import host
from mcbench.problem import loading
from mcbench.problem.dataset import Data, Split
from mcbench.problem.problem import Problem
from mcbench.store.store import Store


def write_tree(root: Path, size: int = 6, mode: str = "RGB", per_class: int = 3) -> None:
    draws = np.random.default_rng(0)
    for split in ("train", "test"):
        for label in ("bee", "ant", "cat"):
            folder = root / split / label
            folder.mkdir(parents=True)
            for i in range(per_class):
                shape = (size, size, 3) if mode == "RGB" else (size, size)
                pixels = draws.integers(0, 256, shape, dtype=np.uint8)
                Image.fromarray(pixels, mode).save(folder / f"{i}.png")


def test_digits_need_no_files(store: Store) -> None:
    digits, fingerprint = loading.load(host().get("dataset", "digits"), None, store)
    assert digits.train.inputs.shape == (1347, 1, 8, 8) and len(digits.test) == 450
    assert digits.train.inputs.dtype == torch.uint8
    assert set(digits.test.targets.tolist()) == set(range(10))
    assert float(digits.train.normalized(digits.train.inputs).min()) == 0.0
    assert float(digits.train.normalized(digits.train.inputs).max()) == 1.0
    assert fingerprint == digits.fingerprint()


def test_data_are_decoded_once(store: Store, tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    write_tree(tmp_path)
    folder = host().get("dataset", "imagefolder")
    first, fingerprint = loading.load(folder, tmp_path, store)
    monkeypatch.setattr("mcbench.builtin.class_folders.decode", None)
    again, same = loading.load(folder, tmp_path, store)
    assert same == fingerprint and torch.equal(first.train.inputs, again.train.inputs)
    assert again.classes == ("ant", "bee", "cat")


def test_a_changed_file_is_decoded_again(store: Store, tmp_path: Path) -> None:
    write_tree(tmp_path)
    folder = host().get("dataset", "imagefolder")
    _, before = loading.load(folder, tmp_path, store)
    Image.fromarray(np.zeros((6, 6, 3), np.uint8)).save(tmp_path / "train" / "ant" / "0.png")
    changed, after = loading.load(folder, tmp_path, store)
    assert after != before
    assert float(changed.train.inputs[0].float().max()) == 0


def test_an_image_folder_is_read_in_order(store: Store, tmp_path: Path) -> None:
    write_tree(tmp_path / "mine")
    folder = host().get("dataset", "imagefolder[folder=mine]")
    loaded, _ = loading.load(folder, tmp_path, store)
    assert loaded.train.inputs.shape == (9, 3, 6, 6)
    assert loaded.train.targets.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    image = np.array(Image.open(tmp_path / "mine" / "test" / "bee" / "1.png"))
    assert torch.equal(loaded.test.inputs[4], torch.from_numpy(image).permute(2, 0, 1))
    grey = host().get("dataset", "imagefolder[folder=mine,color=false,size=4]")
    assert loading.load(grey, tmp_path, store)[0].train.inputs.shape == (9, 1, 4, 4)


def test_what_is_wrong_in_an_image_folder_is_said(store: Store, tmp_path: Path) -> None:
    write_tree(tmp_path)
    Image.fromarray(np.zeros((5, 6, 3), np.uint8)).save(tmp_path / "train" / "cat" / "9.png")
    folder = host().get("dataset", "imagefolder")
    with pytest.raises(UsageError, match=r"9\.png is 6x5 pixels.*set size="):
        loading.load(folder, tmp_path, store)
    (tmp_path / "train" / "cat" / "9.png").write_text("no image")
    with pytest.raises(UsageError, match=r"9\.png cannot be read as an image"):
        loading.load(folder, tmp_path, store)
    (tmp_path / "train" / "cat" / "9.png").unlink()
    (tmp_path / "test" / "dog").mkdir()
    Image.fromarray(np.zeros((6, 6, 3), np.uint8)).save(tmp_path / "test" / "dog" / "1.png")
    with pytest.raises(UsageError, match=r"class .dog. is in test only"):
        loading.load(folder, tmp_path, store)


def test_cifar10_is_also_read_from_a_tree_of_png_files(store: Store, tmp_path: Path) -> None:
    write_tree(tmp_path / "cifar10", size=32)
    loaded, _ = loading.load(host().get("dataset", "cifar10"), tmp_path, store)
    assert loaded.train.inputs.shape == (9, 3, 32, 32)


def test_some_samples_are_always_the_same_ones(store: Store, tmp_path: Path) -> None:
    write_tree(tmp_path / "cifar10", size=32)

    def read(text: str) -> tuple[Any, str]:
        return loading.load(host().get("dataset", text), tmp_path, store)

    (whole, all_of_it), (some, part) = read("cifar10"), read("cifar10[samples=4]")
    assert part != all_of_it and part == read("cifar10[samples=4]")[1]
    assert len(some.train) == 4 and len(some.test) == len(whole.test)
    known = {x.numpy().tobytes() for x in whole.train.inputs}
    assert {x.numpy().tobytes() for x in some.train.inputs} <= known
    with pytest.raises(UsageError, match="there are 9 training samples"):
        read("cifar10[samples=10]")


def test_torchvisions_files_are_read_as_torchvision_reads_them(
    store: Store, tmp_path: Path
) -> None:
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    draws = np.random.default_rng(1)
    expected = {}
    for prefix, count in (("train", 7), ("t10k", 3)):
        pixels = draws.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        labels = draws.integers(0, 10, count, dtype=np.uint8)
        sizes = b"".join(n.to_bytes(4, "big") for n in (count, 28, 28))
        (raw / f"{prefix}-images-idx3-ubyte").write_bytes(
            b"\x00\x00\x08\x03" + sizes + pixels.tobytes()
        )
        (raw / f"{prefix}-labels-idx1-ubyte").write_bytes(
            b"\x00\x00\x08\x01" + count.to_bytes(4, "big") + labels.tobytes()
        )
        expected[prefix] = pixels, labels
    loaded, _ = loading.load(host().get("dataset", "mnist"), tmp_path, store)
    assert np.array_equal(loaded.train.inputs[:, 0].numpy(), expected["train"][0])
    assert loaded.test.targets.tolist() == expected["t10k"][1].tolist()


def test_missing_data_say_where_they_were_looked_for_and_how_to_get_them(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mnist = host().get("dataset", "mnist")

    def fail(*_: object, **__: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr("mcbench.builtin.datasets.Torchvision.download", fail)
    monkeypatch.setenv("MCBENCH_DATA", str(tmp_path / "data"))
    with pytest.raises(DataNotFoundError) as raised:
        loading.load(mnist, None, store)
    text = str(raised.value)
    assert str(tmp_path / "data") in text and str(store.root) in text and "no network" in text
    assert "MNIST/raw" in text and "--data-dir" in text and "\n" not in text
    with pytest.raises(DataNotFoundError, match="train,test"):
        loading.load(host().get("dataset", "imagefolder"), tmp_path, store)


def test_the_chosen_directory_comes_before_the_environment(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MCBENCH_DATA", str(tmp_path / "env"))
    assert loading.directories(tmp_path / "chosen", store)[0] == tmp_path / "chosen"
    assert loading.directories(None, store)[0] == tmp_path / "env"


def test_the_fingerprint_sees_every_change() -> None:
    def make(pixel: int = 1, label: int = 1, classes: tuple[str, ...] = ("a", "b")) -> Data:
        inputs = torch.zeros(3, 1, 2, 2, dtype=torch.uint8)
        inputs[0, 0, 0, 0] = pixel
        split = Split(inputs, torch.tensor([0, label, 1]))
        return Data(split, split, classes)

    prints = {make().fingerprint(), make(2).fingerprint(), make(label=0).fingerprint()}
    prints.add(make(classes=("a", "c")).fingerprint())
    assert len(prints) == 4 and make().fingerprint() in prints


def test_normalisation(store: Store) -> None:
    digits, _ = loading.load(host().get("dataset", "digits"), None, store)
    own = digits.normalize("dataset").train
    values = own.normalized(own.inputs)
    assert float(values.mean()) == pytest.approx(0, abs=1e-5)
    assert float(values.std()) == pytest.approx(1, abs=1e-3)
    assert torch.equal(own.ready().inputs, values)
    with pytest.raises(UsageError, match="3 channels, the data have 1"):
        digits.normalize("imagenet")


def test_floats_are_divided_by_a_scale_that_is_given_and_then_normalised() -> None:
    values = torch.arange(24.0).view(6, 1, 2, 2)
    plain, scaled = Split(values, torch.arange(6) % 2), Split(values, torch.arange(6) % 2, 8.0)
    assert torch.equal(plain.normalized(values), values)
    assert torch.equal(scaled.normalized(values), values / 8)
    own = Data(scaled, scaled, ("a", "b")).normalize("dataset").train
    expected = (values / 8 - (values / 8).mean()) / (values / 8).std(correction=0)
    assert torch.allclose(own.normalized(values), expected, atol=1e-6)
    ready = own.ready()
    assert torch.equal(ready.normalized(ready.inputs), own.normalized(values))


def test_the_fingerprint_tells_scaled_floats_from_those_that_once_were_not() -> None:
    def print_of(inputs: torch.Tensor, *scale: float) -> str:
        split = Split(inputs, torch.arange(6) % 2, *scale)
        return Data(split, split, ("a", "b")).fingerprint()

    def old(inputs: torch.Tensor, scale: float = 255.0) -> str:
        digest = sha256(repr((("a", "b"), scale)).encode())
        for x in (inputs, torch.arange(6) % 2) * 2:
            digest.update(repr((tuple(x.shape), str(x.dtype))).encode() + x.numpy().tobytes())
        return digest.hexdigest()

    values = torch.arange(24.0).view(6, 1, 2, 2)
    assert print_of(values.byte()) == print_of(values.byte(), 255.0) == old(values.byte())
    assert print_of(values) == old(values) and print_of(values, 1.0) == old(values, 1.0)
    assert print_of(values, 16.0) != old(values, 16.0)
    assert print_of(values, 255.0) != old(values)


def test_endpoints_of_normalised_floats_are_told_from_those_that_were_not(
    store: Store,
) -> None:
    values = torch.rand(6, 1, 2, 2, generator=torch.Generator().manual_seed(0))
    split = Split(values, torch.arange(6) % 2)
    floats, pixels = (
        Data(s, s, ("a", "b")) for s in (split, Split((values * 9).byte(), split.targets))
    )

    def print_of(data: Data, recipe: str) -> str:
        loaded = data, data.fingerprint()
        problem = Problems(Plan(recipe=recipe), store, None, "cpu", loaded).of(recipe)
        return str(problem.identity["dataset"]["fingerprint"])

    assert print_of(pixels, "quick[normalize=dataset]") == pixels.fingerprint()
    assert print_of(floats, "quick") == floats.fingerprint()
    assert print_of(floats, "quick[normalize=dataset]") != floats.fingerprint()


def test_what_is_no_image_is_neither_normalised_nor_augmented() -> None:
    split = Split(torch.rand(6, 4), torch.arange(6) % 2)
    data = Data(split, split, ("a", "b"))
    for option in ("normalize=dataset", "augment=(flip)"):
        recipe = host().get("recipe", f"quick[{option}]")
        with pytest.raises(UsageError, match=r"images .*, the inputs are \(6, 4\): use 'quick\["):
            Problem(data, host().get("architecture", "mlp2"), recipe)


def test_classes_without_samples_are_named(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_tree(tmp_path / "cifar10", size=32)
    loading.load(host().get("dataset", "cifar10[samples=1]"), tmp_path, store)
    assert "data set 'cifar10': no train sample is of class 'ant', nor of 1 more" in caplog.text


@pytest.mark.parametrize("name", ["digits", "landscape"])
def test_fingerprints_of_built_in_data_stay(name: str, store: Store) -> None:
    expected = {
        "digits": "751e892b03f7",
        "landscape": "37eb9d442ed3",
    }
    assert loading.load(host().get("dataset", name), None, store)[1].startswith(expected[name])
