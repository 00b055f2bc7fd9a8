"""Each contract finds what is broken, and finds nothing where nothing is."""

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

import cole_core.testing

BROKEN = Path(__file__).with_name("broken_plugins.py")

# What is sound, of each kind.
SOUND = ("Words", "Text", "Counts", "RidgeHead", "RandomSearch", "upper_confidence_bound", "Twelve")

# What is broken, and the test that is about it; others may find it, too.
FOUND_BY = {
    "SizeLies": "the_size_is_that_of_the_enumeration",
    "SizeIsNotListed": "the_size_is_that_of_the_enumeration",
    "ReadsLeniently": "natives_are_read_strictly",
    "DrawsGlobally": "the_same_seed_draws_the_same",
    "MutantStays": "mutants_are_other_architectures",
    "FormByHash": "canonical_forms_and_ids_are_the_same_everywhere",
    "OneForm": "canonical_forms_and_ids_tell_architectures_apart",
    "KeyErrors": "what_is_nearly_an_architecture_is_one_or_is_refused",
    "SaysTwoLines": "garbage_is_refused",
    "CountsWrongly": "parameters_are_counted",
    "RolesAreNoEncodings": "roles_are_encodings_of_the_space",
    "PicturesAreHtml": "pictures_are_svg",
    "NothingLearns": "a_network_learns_from_images",
    "NeedsMore": "a_name_alone_makes_it",
    "ForgetsParameters": "parameters_and_full_name_make_the_space_again",
    "Neighbours": "an_architecture_is_read_by_itself",
    "Doubles": "vectors_are_finite_rows",
    "EmptyFails": "no_architectures_are_no_rows",
    "TakesGarbage": "garbage_is_refused",
    "Remembers": "an_architecture_is_read_by_itself",
    "ByHash": "it_reads_the_same_everywhere",
    "Addresses": "texts_are_the_same_on_every_machine",
    "AnyContext": "an_unknown_context_is_refused",
    "IgnoresTheSeed": "the_seed_decides",
    "NegativeDeviation": "predictions_have_a_deviation",
    "TakesNaN": "what_cannot_be_learned_from_is_refused",
    "LosesState": "what_was_learned_travels_as_arrays",
    "ScalesWhatItReads": "it_leaves_what_it_reads_as_it_is",
    "ByTheBatch": "a_row_is_predicted_by_itself",
    "ChangesParameters": "parameters_are_kept_and_cloned",
    "FirstNeighbour": "scikit_learn_is_content",
    "RepeatsATwin": "no_twin_is_evaluated",
    "Stateful": "a_search_goes_on_as_if_it_had_not_stopped",
    "Peeks": "only_proposals_are_evaluated",
    "NeverStops": "a_small_pool_is_exhausted",
    "BatchesOverlap": "batches_have_one_beginning",
    "SameForAllSeeds": "the_same_seed_takes_the_same_way",
    "pessimistic": "a_better_mean_is_worth_no_less",
    "one_number": "each_candidate_has_a_finite_worth",
    "divides": "it_stands_certain_predictions",
    "draws_globally": "its_generator_decides",
    "in_place": "its_arguments_are_left_as_they_are",
    "Fractions": "values_are_percentages",
    "RecognisesAll": "it_recognises_its_own_and_nothing_else",
    "OwnNatives": "natives_are_architectures",
    "Twice": "an_evaluation_comes_once",
    "OtherColumns": "the_frame_is_as_it_is_promised",
}


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The tests that fail for each plug-in, all run in one session as their author runs them."""
    report = tmp_path_factory.mktemp("broken") / "report.xml"
    project = Path(cole_core.testing.__file__).parents[2]
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--tb=no"),
            *(f"--junitxml={report}", str(BROKEN)),
        ],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(project), *sys.path])},
    )
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr
    found: dict[str, set[str]] = {}
    for case in ET.parse(report).iter("testcase"):
        name = case.attrib["classname"].rpartition(".")[2].removeprefix("Test")
        tests = found.setdefault(name, set())
        if case.find("failure") is not None or case.find("error") is not None:
            tests.add(case.attrib["name"].removeprefix("test_"))
    return found


@pytest.mark.parametrize("name", SOUND)
def test_what_is_sound_passes(failed: dict[str, set[str]], name: str) -> None:
    assert failed[name] == set()


@pytest.mark.parametrize("name", FOUND_BY)
def test_what_is_broken_is_found(failed: dict[str, set[str]], name: str) -> None:
    assert FOUND_BY[name] in failed[name]


def test_all_were_tried(failed: dict[str, set[str]]) -> None:
    assert set(failed) == {*SOUND, *FOUND_BY}
