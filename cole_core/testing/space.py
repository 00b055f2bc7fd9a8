"""What a search space promises, as tests."""

import ast
import inspect
import itertools
import json
import pickle
from collections.abc import Callable
from typing import Any, ClassVar
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from cole_core.encodings.base import NO_CONTEXT, TextEncoding, VectorEncoding
from cole_core.errors import InputError
from cole_core.spaces.base import Roles, SearchSpace
from cole_core.spaces.own import file_name
from cole_core.testing.checks import GARBAGE, NAME, global_generators, in_another_process, refused

_TEXTS = ("reference", "renderings", "runnable", "native", "exported")
_VECTORS = ("rival", "classic", "structural", "controls", "canonical")


class SpaceContract:
    """Tests of a search space; see `cole_core.spaces.base.SearchSpace`.

    Attributes:
        space: What is tested.
        samples: Architectures that are drawn.
        most: Architectures that are enumerated at most.
        garbage: Strings that are no architectures.
        input_shape: Channels, height, width of the images that `build(native)` takes; None where
            networks take something else.
        task_shape: Of the images that a network is built for as a search does it; None where the
            space's networks are not trained here.
    """

    space: SearchSpace
    samples: int = 12
    most: int = 20_000
    garbage: tuple[str, ...] = GARBAGE
    input_shape: ClassVar[tuple[int, int, int] | None] = (3, 32, 32)
    task_shape: ClassVar[tuple[int, int, int] | None] = (1, 8, 8)

    def drawn(self, seed: int = 0) -> list[str]:
        """Architectures at random."""
        rng = np.random.default_rng(seed)
        return [self.space.sample(rng) for _ in range(self.samples)]

    def test_it_has_a_name(self) -> None:
        """Names go with options, parameters after a colon, and files."""
        assert isinstance(self.space.name, str)
        registered, of_file = NAME.fullmatch(self.space.name), file_name(self.space.name)
        assert registered or of_file, f"a space cannot be called {self.space.name!r}"

    def test_samples_are_architectures(self) -> None:
        for native in self.drawn():
            assert isinstance(native, str)
            assert native
            assert native == native.strip(), f"{native!r} begins or ends with a space"
            native.encode()
            self.space.validate(native)

    def test_the_same_seed_draws_the_same(self) -> None:
        with global_generators(1):
            once = self.drawn(7)
        with global_generators(2):
            assert self.drawn(7) == once, "sample draws from something else than its generator"
        if self.space.size != 1:
            assert any(self.drawn(seed) != once for seed in range(8, 12)), "seeds change nothing"

    def test_garbage_is_refused(self) -> None:
        for text in self.garbage:
            refused(self.space.validate, text)

    def test_natives_are_read_strictly(self) -> None:
        """Whoever reads leniently has one architecture under two ids."""
        for native in self.drawn()[:4]:
            for changed in (f" {native}", f"{native} ", f"{native}\n", f"\t{native}"):
                refused(self.space.validate, changed)

    def test_what_is_nearly_an_architecture_is_one_or_is_refused(self) -> None:
        for native in self.drawn()[:4]:
            for changed in (native[:-1], native[1:], native * 2, f"{native}x", native.upper()):
                try:
                    self.space.validate(changed)
                except InputError:
                    refused(self.space.validate, changed)
                else:
                    assert self.space.canonical_form(changed)

    def test_the_size_is_that_of_the_enumeration(self) -> None:
        if self.space.size is None:
            refused(lambda: list(itertools.islice(self.space.enumerate(), 1)))
            return
        listed = list(itertools.islice(self.space.enumerate(), self.most + 1))
        whole = len(listed) <= self.most
        assert len(set(listed)) == len(listed), "an architecture is listed twice"
        if whole:
            assert self.space.size == len(listed)
            assert set(self.drawn()) <= set(listed), "a sample is not in the enumeration"
        else:
            assert self.space.size > self.most
        again = list(itertools.islice(self.space.enumerate(), 100))
        assert listed[:100] == again, "the order of the enumeration is not fixed"
        for native in listed[:: max(1, len(listed) // 100)]:
            self.space.validate(native)

    def test_mutants_are_other_architectures(self) -> None:
        rng = np.random.default_rng(0)
        if self.space.size == 1:
            pytest.skip("a space of one architecture has no mutants")
        for native in self.drawn():
            for edits in (1, 1, 1, 2, 3):
                mutant = self.space.mutate(native, rng, edits)
                self.space.validate(mutant)
                assert mutant != native, f"{edits} edits of {native} change nothing"

    def test_mutants_depend_on_their_generator_alone(self) -> None:
        if self.space.size == 1:
            pytest.skip("a space of one architecture has no mutants")

        def mutants() -> list[str]:
            rng = np.random.default_rng(3)
            return [self.space.mutate(native, rng) for native in self.drawn()]

        with global_generators(1):
            once = mutants()
        with global_generators(2):
            assert mutants() == once

    def test_no_edits_are_refused(self) -> None:
        native = self.drawn()[0]
        refused(lambda: self.space.mutate(native, np.random.default_rng(0), 0))

    def test_canonical_forms_and_ids_are_the_same_everywhere(self) -> None:
        """In any order, for a copy, and where strings hash otherwise."""
        natives = self.drawn()
        once = described(self.space, natives)
        assert described(self.space, natives[::-1]) == once[::-1]
        assert described(pickle.loads(pickle.dumps(self.space)), natives) == once
        assert in_another_process(described, self.space, natives) == once
        for form, id_ in once:
            assert isinstance(form, str)
            assert form, "an architecture's canonical form is empty"
            assert id_

    def test_canonical_forms_and_ids_tell_architectures_apart(self) -> None:
        natives = list(dict.fromkeys(self.drawn() + self.drawn(1)))
        ids = {self.space.architecture_id(native) for native in natives}
        assert len(ids) == len(natives), "different architectures have one id"
        if len(natives) > 4:
            forms = {self.space.canonical_form(native) for native in natives}
            assert len(forms) > 1, "all architectures have one canonical form"

    def test_a_network_learns_from_images(self) -> None:
        torch = pytest.importorskip("torch")
        for native in self.drawn()[:3]:
            network = self.space.build(native)
            assert isinstance(network, torch.nn.Module)
            if self.input_shape is not None:
                run(network, self.input_shape)

    def test_a_network_is_built_for_a_task(self) -> None:
        pytest.importorskip("torch")
        if self.task_shape is None:
            pytest.skip("networks of this space are not trained here")
        space = type(self.space).for_task(self.task_shape, 4, {})
        macro = space.macro_architecture({})
        refused(space.macro_architecture, {"no such part": 1})
        refused(type(self.space).for_task, self.task_shape, 4, {"no_such_bound": 1})
        rng = np.random.default_rng(0)
        for _ in range(3):
            network = space.build_for(space.sample(rng), self.task_shape, 4, macro)
            assert run(network, self.task_shape).shape == (2, 4)

    def test_parameters_are_counted(self) -> None:
        pytest.importorskip("torch")
        for native in self.drawn()[:3]:
            counted = self.space.parameter_count(native)
            if counted is not None:
                weights = self.space.build(native).parameters()
                assert counted == sum(each.numel() for each in weights if each.requires_grad)

    def test_parameters_and_full_name_make_the_space_again(self) -> None:
        kind, space = type(self.space), self.space
        assert f"{space.full_name}:".startswith(f"{space.name}:")
        text = space.full_name.removeprefix(space.name).removeprefix(":")
        native = self.drawn()[0]
        plain = json.loads(json.dumps(dict(space.parameters)))
        for again in (kind(**kind.parse_parameters(text)), kind(**plain)):
            assert dict(again.parameters) == dict(space.parameters)
            assert again.full_name == space.full_name
            assert again.architecture_id(native) == space.architecture_id(native)
        assert kind(**kind.parse_parameters("")).name == space.name
        refused(kind.parse_parameters, "no such:parameters")

    def test_it_pickles(self) -> None:
        copy = pickle.loads(pickle.dumps(self.space))
        assert type(copy) is type(self.space)
        assert dict(copy.parameters) == dict(self.space.parameters)
        assert copy.sample(np.random.default_rng(5)) == self.space.sample(np.random.default_rng(5))

    def test_roles_are_encodings_of_the_space(self) -> None:
        assert isinstance(self.space.roles, Roles)
        for roles, kind in ((_TEXTS, TextEncoding), (_VECTORS, VectorEncoding)):
            for role in roles:
                value = getattr(self.space.roles, role)
                for name in (value,) if isinstance(value, str) else value or ():
                    encoding = self.space.encoding(name)
                    assert isinstance(encoding, kind), f"{role} is {name}, no {kind.__name__}"

    def test_accuracies_by_default_are_of_a_dataset(self) -> None:
        if self.space.default_source is not None:
            assert self.space.default_dataset, "say of which dataset they are: default_dataset"

    def test_every_encoding_is_made(self) -> None:
        names = self.space.encoding_names
        assert set(self.space.encodings) <= set(names)
        for name in names:
            made = self.space.encoding(name)
            assert NAME.fullmatch(name), f"an encoding cannot be called {name!r}"
            assert made.name == name, f"encoding {name} says that it is called {made.name}"
            if isinstance(made, TextEncoding):
                assert NO_CONTEXT in made.contexts
            else:
                assert isinstance(made, VectorEncoding)
        assert all(name in refused(self.space.encoding, "no such encoding") for name in names)

    def test_the_runnable_rendering_is_a_class(self) -> None:
        name = self.space.roles.runnable
        if name is None:
            pytest.skip("the space has no rendering that runs")
        written: Any = self.space.encoding(name)
        for native in self.drawn()[:3]:
            body = ast.parse(written.render(native)).body
            assert any(isinstance(node, ast.ClassDef) for node in body)

    def test_pictures_are_svg(self) -> None:
        for native in self.drawn()[:3]:
            drawn = self.space.draw(native)
            if drawn is not None:
                tag = ET.fromstring(drawn).tag
                assert tag.rpartition("}")[2] == "svg", f"a picture is an <svg>, not a <{tag}>"
                assert "script" not in drawn.lower()

    def test_what_takes_architectures_refuses_garbage(self) -> None:
        rng = np.random.default_rng(0)
        calls: dict[str, Callable[[str], object]] = {
            "canonical_form": self.space.canonical_form,
            "mutate": lambda text: self.space.mutate(text, rng),
            "build": self.space.build,
        }
        for text in self.garbage[:3]:
            for call in calls.values():
                refused(call, text)

    def test_a_name_alone_makes_it(self) -> None:
        """`cole enumerate NAME` has nothing but the name."""
        needed = [
            each.name
            for each in inspect.signature(type(self.space)).parameters.values()
            if each.default is each.empty
            and each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL)
        ]
        assert not needed, f"{', '.join(needed)} must have a default"


def described(space: SearchSpace, natives: list[str]) -> list[tuple[str, str]]:
    """Canonical form and id of architectures."""
    return [(space.canonical_form(native), space.architecture_id(native)) for native in natives]


def run(network: Any, shape: tuple[int, int, int]) -> Any:
    """Sends two images through a network and back.

    Returns:
        What comes out.

    Raises:
        AssertionError: No gradient arrives, or something is not finite.
    """
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        given = network.train()(torch.randn(2, *shape))
    assert given.shape[0] == 2
    given.square().mean().backward()
    gradients = [each.grad for each in network.parameters() if each.grad is not None]
    assert gradients, "no weight has a gradient"
    assert torch.isfinite(given).all()
    assert all(torch.isfinite(gradient).all() for gradient in gradients)
    return given.detach()
