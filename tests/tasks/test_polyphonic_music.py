"""Polyphonic music: cutting, weights and likelihood by hand; the statistics of the original files."""

import math

import pytest
import torch

from seven_terms.spec import PolyphonicMusic
from seven_terms.tasks import build_task, polyphonic_music

# sequences and frames of train / validation / test, and the log-likelihood of a test frame under independent notes
# with the frequencies of the training frames: the fingerprint of data and split
KNOWN = {
    "nottingham": ((694, 173, 170), (176_561, 45_513, 44_463), -10.25),
    "jsb_chorales": ((229, 76, 77), (13_807, 4_602, 4_725), -11.06),
    "muse_data": ((524, 135, 124), (245_202, 82_755, 64_339), -11.51),
    "piano_midi": ((87, 12, 25), (75_911, 8_540, 19_036), -11.05),
}


def sequence(*frames):
    notes = torch.zeros(len(frames), 88, dtype=torch.uint8)
    for step, note in enumerate(frames):
        notes[step, note] = 1
    return notes


@pytest.fixture
def music(monkeypatch):
    """Three made-up sequences of 5, 2 and 3 frames in each split; chunks of 2 frames."""
    sequences = [sequence(1, 2, 3, 4, 5), sequence(6, 7), sequence(8, 9, 10)]
    splits = dict.fromkeys(("train", "validation", "test"), sequences)
    monkeypatch.setattr(polyphonic_music, "read_sequences", lambda name: splits)
    return build_task(PolyphonicMusic(chunk=2), dtype=torch.float64, device="cpu")


def test_sequences_are_cut_so_that_each_frame_is_predicted_once_from_the_one_before():
    notes, mask = polyphonic_music.cut([sequence(1, 2, 3, 4, 5), sequence(6, 7)], chunk=2)
    assert mask.tolist() == [[1, 1], [1, 1], [1, 0], [1, 1]]
    played = [[frame.nonzero().flatten().tolist() for frame in chunk] for chunk in notes]
    assert played == [[[], [1], [2]], [[2], [3], [4]], [[4], [5], []], [[], [6], [7]]]


def test_inputs_are_the_targets_of_the_step_before(music):
    inputs, targets, weights = music.batches([1, 2], 0, 6)
    assert music.num_examples == 6
    assert inputs.shape == targets.shape == (2, 6, 2, 88)
    assert torch.equal(inputs[:, :, 1], targets[:, :, 0])
    assert (weights[0] > 0).sum() == 10


def test_silent_logits_cost_88_times_ln_2_a_frame(music):
    for batch in (music.batches([1], 0, 4), music.evaluation("test", [1])):
        run = tuple(tensor[0] for tensor in batch)
        value = music.loss(torch.zeros_like(run[0]), *run)
        assert value.item() == pytest.approx(88 * math.log(2), rel=1e-14)


def test_the_likelihood_is_that_of_independent_notes_and_padding_costs_nothing(music):
    run = tuple(tensor[0] for tensor in music.evaluation("test", [1]))
    _, targets, weights = run
    logits = torch.randn(targets.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    probability = torch.distributions.Bernoulli(logits=logits).log_prob(targets).sum(-1)
    expected = -probability[weights > 0].mean()
    torch.testing.assert_close(music.loss(logits, *run), expected, rtol=1e-13, atol=0)
    logits[weights == 0] = 50.0
    torch.testing.assert_close(music.loss(logits, *run), expected, rtol=1e-13, atol=0)


def test_metrics_of_parts_average_to_the_mean_over_frames(music):
    run = tuple(tensor[0] for tensor in music.evaluation("validation", [1]))
    logits = torch.randn(run[1].shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    parts = [music.metrics(logits[rows], *(tensor[rows] for tensor in run))["loss"] for rows in ([0, 1, 2, 3], [4, 5])]
    mean = (4 * parts[0] + 2 * parts[1]) / 6
    torch.testing.assert_close(mean, music.loss(logits, *run), rtol=1e-13, atol=0)


def test_the_loss_is_safe_under_vmap_and_grad(music):
    batch = music.batches([1, 2], 0, 3)
    logits = torch.randn(batch[1].shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    stacked = torch.vmap(torch.func.grad(music.loss))(logits, *batch)
    for run in range(2):
        alone = torch.func.grad(music.loss)(logits[run], *(tensor[run] for tensor in batch))
        torch.testing.assert_close(stacked[run], alone, rtol=1e-13, atol=1e-16)
        assert not stacked[run][batch[2][run] == 0].any()


@pytest.mark.parametrize("name", KNOWN)
def test_the_original_files_have_the_known_statistics(original_data, name):
    num_sequences, num_frames, log_likelihood = KNOWN[name]
    splits = polyphonic_music.read_sequences(name)
    assert tuple(len(sequences) for sequences in splits.values()) == num_sequences
    frames = {split: torch.cat(sequences).double() for split, sequences in splits.items()}
    assert tuple(len(split) for split in frames.values()) == num_frames
    frequency = frames["train"].mean(0).clamp(min=1e-6)  # a few test notes never occur in training
    found = torch.xlogy(frames["test"], frequency) + torch.xlogy(1 - frames["test"], 1 - frequency)
    assert found.sum(1).mean().item() == pytest.approx(log_likelihood, abs=0.005)


def test_a_constant_prediction_has_the_known_likelihood_through_the_task(original_data):
    data = build_task(PolyphonicMusic(name="jsb_chorales", chunk=50), dtype=torch.float64, device="cpu")
    frequency = torch.cat(polyphonic_music.read_sequences("jsb_chorales")["train"]).double().mean(0).clamp(min=1e-12)
    run = tuple(tensor[0] for tensor in data.evaluation("test", [1]))
    logits = torch.logit(frequency).expand_as(run[1])
    assert data.metrics(logits, *run)["loss"].item() == pytest.approx(11.06, abs=0.005)
