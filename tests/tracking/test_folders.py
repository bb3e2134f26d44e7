"""The names that the terminal's list shows tell runs apart in the width that it has."""

import pytest

from seven_terms.tracking.browse import folder_to_browse
from seven_terms.tracking.folders import SHOWN, short_names


def test_names_that_fit_stay_as_they_are():
    names = ["rates-plain-lr=0.1-s0", "rates-plain-sweep"]
    assert short_names(names) == dict(zip(names, names, strict=True))


def test_names_that_do_not_fit_are_cut_alike_with_settings_by_their_initials():
    names = ["final_rate_exact-cosine_tenth-lr=0.00778111-num_steps=3000-s0", "final_rate_exact-line-lr=1-num_steps=9-s0",
             "final_rate_exact-cosine_tenth-sweep"]  # fmt: skip
    short = short_names(names)
    assert short[names[1]] == "fiRaEx-line-lr=1-ns=9-s0"
    assert short[names[2]] == "fiRaEx-coTe-sweep"


def test_arms_stay_apart_however_alike_they_are():
    arms = ("sigmoid_clip_reg", "sigmoid_clip", "sigmoid_clips", "sigmoid_sgd")
    names = [f"temporal_order_2013-{arm}-lr=0.1-s{seed}" for arm in arms for seed in (0, 11)]
    short = short_names(names)
    assert len(set(short.values())) == len(names)
    assert all(len(name) <= SHOWN for name in short.values()), short


def test_where_even_initials_have_no_room_the_values_stand_alone():
    names = [
        "one_cycle-step-lr=0.1-num_steps=960-num_train=3500-s10",
        "one_cycle-step-lr=0.1-num_steps=60-num_train=3500-s1",
    ]
    assert list(short_names(names).values()) == ["onCy-st-0.1-960-3500-s10", "onCy-st-0.1-60-3500-s1"]


def make(*folders) -> None:
    for folder in folders:
        (folder / "run-a").mkdir(parents=True)


def test_a_selection_s_runs_are_looked_for_where_its_results_lie(tmp_path):
    whole = tmp_path / "laptop"
    own = whole / "selections" / "batch_norm.mnist_2015+lr_decay"
    make(own / "wandb", own / "wandb" / "lr_decay", whole / "wandb", whole / "wandb" / "lr_decay")
    only = ["lr_decay batch_norm/mnist_2015"]
    assert folder_to_browse(whole, only=only) == own / "wandb"
    assert folder_to_browse(whole, only=only, term="lr_decay") == own / "wandb" / "lr_decay"
    assert folder_to_browse(whole) == whole / "wandb"
    assert folder_to_browse(whole, term="lr_decay") == whole / "wandb" / "lr_decay"
    assert folder_to_browse(whole, only=["lr_decay"]) == whole / "wandb" / "lr_decay"


def test_a_term_s_runs_are_those_of_the_selection_of_that_name_where_there_are_no_others(tmp_path):
    make(tmp_path / "selections" / "lr_decay" / "wandb")
    assert folder_to_browse(tmp_path, term="lr_decay") == tmp_path / "selections" / "lr_decay" / "wandb"


def test_runs_that_nobody_wrote_are_one_sentence_with_the_command_and_what_there_is(tmp_path):
    whole = tmp_path / "laptop-seed1000"
    make(whole / "selections" / "lr_decay" / "wandb")
    with pytest.raises(ValueError, match="W&B runs of 'batch_norm' in") as caught:
        folder_to_browse(whole, only=["batch_norm"])
    assert "they must have been written, got ['" in str(caught.value)
    assert "/selections/lr_decay/wandb'];" in str(caught.value)
    assert 'run `make report SCALE=laptop BASE_SEED=1000 ONLY="batch_norm"` first' in str(caught.value)
