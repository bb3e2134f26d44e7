"""Every probe against a number known by hand or by an independent computation."""

import dataclasses

import numpy as np
import pytest
import torch

from seven_terms import spec
from seven_terms.probes import observe
from seven_terms.records.runs import Run, Stack
from seven_terms.spec import Initialization, Mlp, Quadratic, Recurrent, Sgd, TemporalOrder, Training, replace_paths
from seven_terms.training.program import StackedProgram
from seven_terms.training.train_stack import fit

NET = Training(
    task=spec.GaussianInputs(num_features=12, num_classes=4),
    model=Mlp(depth=3, width=16, activation="tanh"),
    initialization=Initialization(kind="glorot"),
    optimizer=Sgd(learning_rate=0.1),
    num_steps=3,
    batch_size=20,
    precision="float64",
)
QUADRATIC = Training(
    task=Quadratic(dimension=30, largest=4.0, condition_number=50.0),
    model=spec.Point(dimension=30),
    optimizer=Sgd(learning_rate=0.1),
    num_steps=3,
    precision="float64",
)
RNN = dataclasses.replace(NET, task=TemporalOrder(length=12), model=Recurrent(width=10))


def run_of(training, probes=(), **changes):
    changed = replace_paths(training, changes)
    return Run(experiment="t/x", arm="a", settings={}, seed=1, training=changed, probes=tuple(probes))


def program_of(training, **changes):
    return StackedProgram(Stack(experiment="t/x", runs=(run_of(training, **changes),)))


def values_of(probe, program, step=0):
    return {metric: values[0].numpy() for metric, values, _ in observe.at_step(probe, program, step)}


def test_sharpness_of_a_quadratic_is_its_largest_eigenvalue():
    assert values_of(spec.Sharpness(num_iterations=25), program_of(QUADRATIC))["sharpness"] == pytest.approx(
        4.0, rel=1e-6
    )


def sharpness_of(program: StackedProgram, *, steps: tuple[int, ...]) -> list[list[float]]:
    """Return the sharpness of every run before the first update and after others."""
    found = []
    for step in range(max(steps) + 1):
        if step in steps:
            (value_R,) = [values for _, values, _ in observe.at_step(spec.Sharpness(num_iterations=5), program, step)]
            found.append(value_R[: program.num_runs].tolist())
        program.update(step)
    return found


def test_sharpness_of_runs_with_the_same_numbers_is_asked_once_and_that_of_a_lost_run_is_none(monkeypatch):
    rates, seeds = (0.1, 0.3, 1e38), (1, 2)
    runs = tuple(
        dataclasses.replace(
            run_of(NET, **{"model.activation": "relu", "num_steps": 6, "optimizer.learning_rate": rate}), seed=seed
        )
        for seed in seeds
        for rate in rates
    )
    sizes = []
    losses = StackedProgram.losses
    monkeypatch.setattr(
        StackedProgram, "losses", lambda *given: sizes.append(len(given[1]["readout.weight"])) or losses(*given)
    )
    together = sharpness_of(StackedProgram(Stack(experiment="t/x", runs=runs)), steps=(0, 4))
    assert sizes == [3, 5]  # two seeds, and four runs with finite numbers; a copy pads each
    alone = [sharpness_of(StackedProgram(Stack(experiment="t/x", runs=(run,))), steps=(0, 4)) for run in runs]
    np.testing.assert_array_equal(np.array(together), np.array(alone)[:, :, 0].T)
    assert np.isnan(together[1]).tolist() == [rate > 1 for _ in seeds for rate in rates]
    assert len(set(together[0])) == len(seeds)


def test_preconditioned_sharpness_is_the_top_eigenvalue_of_the_hessian_by_adams_preconditioner():
    program = program_of(QUADRATIC, optimizer=spec.Adam(learning_rate=0.01, beta2=0.9, eps=1e-3))
    probe = spec.PreconditionedSharpness(num_iterations=30)
    assert values_of(probe, program, step=0) == {}
    for number in range(3):
        program.update(number)
    h = np.geomspace(4.0 / 50.0, 4.0, 30)
    ((square,),) = [[tensor[0].numpy() for tensor in program.state["square"].values()]]
    expected = h / (np.sqrt(square / (1.0 - 0.9**3)) + 1e-3)  # the Hessian is diagonal
    found = values_of(probe, program, step=3)["preconditioned_sharpness"]
    assert found == pytest.approx(expected.max(), rel=1e-6)


def test_preconditioned_sharpness_is_refused_without_adam():
    with pytest.raises(ValueError, match=r"^PreconditionedSharpness: the optimizer must be Adam"):
        values_of(spec.PreconditionedSharpness(), program_of(QUADRATIC), step=1)


def test_input_gradients_of_a_wide_network_are_as_alike_as_the_kernels_say():
    model = Mlp(depth=4, width=3000, activation="relu")
    program = program_of(NET, model=model, initialization=Initialization(kind="he"))
    found = values_of(spec.InputGradients(num_pairs=40, angle=0.5), program)["input_gradient_cosine"]
    expected, angle = 1.0, 0.5  # Cho and Saul 2009: the share of units that both inputs switch on, layer by layer
    for _ in range(4):
        expected *= 1.0 - angle / np.pi
        angle = np.arccos((np.sin(angle) + (np.pi - angle) * np.cos(angle)) / np.pi)
    assert found == pytest.approx(expected, abs=0.03)


def test_input_gradients_of_a_linear_network_are_equal():
    program = program_of(NET, model=Mlp(depth=2, width=10, activation="identity"))
    assert values_of(spec.InputGradients(), program)["input_gradient_cosine"] == pytest.approx(1.0, rel=1e-12)


def test_gradients_along_a_quadratic_change_by_eigenvalue_times_distance():
    task = Quadratic(dimension=30, largest=4.0, spectrum="equal")
    values = values_of(spec.LossAlongGradient(), program_of(QUADRATIC, task=task))
    assert values["effective_smoothness"] == pytest.approx(4.0)
    assert values["relative_gradient_change"] == pytest.approx(4.0 * 0.4)


def test_covariate_shift_of_a_linear_net_is_the_change_of_gradient_by_hand():
    """Two linear layers y = b (a x): dL/db changes only through the moved a, dL/da is that of the lowest layer."""
    net = dataclasses.replace(NET, model=Mlp(depth=1, width=5, activation="identity", bias=False))
    program = program_of(net)
    values = values_of(spec.CovariateShift(), program)
    inputs, labels = (tensor[0] for tensor in program.batch_of_step(0))
    lower, upper = (program.parameters[name][0] for name in ("layers.0.linear.weight", "readout.weight"))

    def gradient(a, b):
        a, b = a.clone().requires_grad_(), b.clone().requires_grad_()
        loss = torch.nn.functional.cross_entropy(inputs @ a.T @ b.T, labels)
        return torch.autograd.grad(loss, (a, b))

    by_lower, before = gradient(lower, upper)
    _, after = gradient(lower - 0.1 * by_lower, upper)
    assert values["covariate_shift"] == pytest.approx([(after - before).norm().item()], rel=1e-9)
    relative = ((after - before).norm() / before.norm()).item()
    assert values["relative_covariate_shift"] == pytest.approx([relative], rel=1e-9)
    cosine = (after * before).sum() / after.norm() / before.norm()
    assert values["covariate_shift_cosine"] == pytest.approx([cosine.item()], rel=1e-12)


def test_the_gradient_is_the_product_of_layer_jacobians():
    values = values_of(spec.LayerJacobians(num_examples=4), program_of(NET))
    assert values["jacobian_product_error"] < 1e-12
    assert values["layer_jacobian_gain"].shape == (2,)
    assert (values["layer_jacobian_mean_singular_value"] <= values["layer_jacobian_gain"]).all()


def test_singular_values_of_a_linear_network_are_those_of_its_weights():
    program = program_of(NET, **{"model.activation": "identity"})
    values = values_of(spec.LayerJacobians(num_examples=4), program)
    singular = torch.linalg.svdvals(program.parameters["layers.1.linear.weight"][0]).numpy()
    assert values["layer_jacobian_largest_singular_value"][0] == pytest.approx(singular.max())
    assert values["layer_jacobian_mean_singular_value"][0] == pytest.approx(singular.mean())
    assert values["layer_jacobian_gain"][0] == pytest.approx(np.sqrt(np.square(singular).mean()))


def test_layer_gradients_add_up_to_the_norm_of_the_weights_gradient():
    program = program_of(NET, **{"model.bias": False})
    values = values_of(spec.LayerGradients(), program)
    record = program.update(0)
    total = np.sqrt(np.square(values["layer_gradient_norm"]).sum())
    assert total == pytest.approx(record["gradient_norm"][0].item(), rel=1e-9)
    assert values["layer_signal_gradient_rms"].shape == (3,)


def test_bias_gradients_are_sums_of_signal_gradients():
    program = program_of(NET)
    batch = program.batch_of_step(0)
    _, gradients = program.gradients(program.parameters, program.buffers, batch)
    from seven_terms.models import taps
    from seven_terms.probes.observation import tapped_gradients

    points = [tap for _, tap in taps(program.module)]
    signals = tapped_gradients(program, program.parameters, program.buffers, batch, points)
    for layer, signal in enumerate(signals):
        torch.testing.assert_close(signal[0].sum(0), gradients[f"layers.{layer}.linear.bias"][0])


def test_percentiles_are_those_of_numpy():
    program = program_of(NET)
    values = values_of(spec.Activations(), program)
    inputs = program.task.evaluation("validation", program.seeds)[0][0, :250]
    w = {name: tensor[0] for name, tensor in program.parameters.items()}
    hidden = inputs
    for layer in range(3):
        pre = hidden @ w[f"layers.{layer}.linear.weight"].T + w[f"layers.{layer}.linear.bias"]
        hidden = pre.tanh()
    np.testing.assert_allclose(values["activation_p85"], np.percentile(pre.numpy(), 85, axis=0))
    np.testing.assert_allclose(values["layer_saturation"][-1], (pre.tanh().abs() > 0.95).double().mean())


def test_batch_norm_after_the_activation_hands_on_normalized_outputs_and_before_does_not():
    for placement, normalized in (("after", True), ("before", False)):
        model = Mlp(depth=2, width=16, activation="relu", normalization=spec.BatchNorm(), placement=placement)
        values = values_of(spec.NormalizedOutputs(), program_of(NET, model=model))
        assert (values["layer_output_mean_abs"].max() < 1e-6) == normalized
        assert (values["layer_output_std_error"].max() < 1e-3) == normalized


def test_the_lag_gradient_of_a_linear_net_follows_powers_of_its_matrix():
    program = program_of(RNN, **{"model.cell": "identity", "initialization.kind": "orthogonal"})
    values = {m: (v[0].numpy(), i) for m, v, i in observe.at_step(spec.LagGradients(), program, 0)}
    norms, lags = values["lag_gradient_norm"]
    assert lags[-1] == 0
    np.testing.assert_allclose(norms, 1.0, rtol=1e-9)


def test_the_recurrent_matrix_has_the_radius_it_was_drawn_with():
    values = values_of(spec.Recurrence(), program_of(RNN, **{"initialization.kind": "orthogonal"}))
    assert values["spectral_radius"] == pytest.approx(1.0)
    assert values["largest_singular_value"] == pytest.approx(1.0)


def test_clipping_by_norm_keeps_the_direction_and_by_value_does_not():
    for changes, exact in (({"clipping.norm": 1e-3}, True), ({"clipping.value": 1e-4}, False)):
        cosine = values_of(spec.ClippedDirection(), program_of(NET, **changes))["clip_cosine"]
        assert (abs(cosine - 1) < 1e-9) == exact
        assert 0 < cosine <= 1 + 1e-12


def test_clipped_gradients_reach_their_bounds_and_no_more():
    by_value = values_of(spec.ClippedDirection(), program_of(NET, **{"clipping.value": 1e-4}))
    assert by_value["clipped_entry_max"] == 1e-4
    by_norm = values_of(spec.ClippedDirection(), program_of(NET, **{"clipping.norm": 1e-3}))
    assert by_norm["clipped_norm"] == pytest.approx(1e-3, rel=1e-4)
    assert by_norm["clipped_entry_max"] < by_norm["clipped_norm"]


def test_updates_and_movement_by_layer_are_those_of_the_weights():
    table = fit(
        Stack(experiment="t/x", runs=(run_of(NET, [spec.LayerUpdates(steps=spec.Steps(every=1))]),))
    ).recorder.table()
    ratio = table[(table["metric"] == "layer_update_ratio") & (table["step"] == 0)]["value"].to_numpy()
    program = program_of(NET)
    before = {name: value.clone() for name, value in program.parameters.items()}
    program.update(0)
    name = "layers.0.linear.weight"
    change = (program.parameters[name] - before[name])[0].norm() / before[name][0].norm()
    assert ratio[0] == pytest.approx(change.item())


def test_evaluation_matches_the_loss_on_the_split():
    program = program_of(NET)
    values = values_of(spec.Evaluate(splits=("test",), num_examples=700), program)
    batch = program.spread(tuple(t[:, :700] for t in program.task.evaluation("test", program.seeds)))
    program.module.train(False)
    expected = program.losses(program.parameters, program.buffers, batch)[0].item()
    assert values["test_loss"] == pytest.approx(expected)
    own = {name: tensor[0] for name, tensor in {**program.parameters, **program.buffers}.items()}
    guessed = torch.func.functional_call(program.module, own, (batch[0][0],)).argmax(-1)
    assert values["test_accuracy"] == pytest.approx((guessed == batch[1][0]).double().mean().item())


def test_a_run_of_no_steps_is_measured_at_its_start():
    probes = [spec.Evaluate(steps=spec.Steps(at=(0,)), splits=("test",)), spec.Stream()]
    runs = fit(Stack(experiment="t/x", runs=(run_of(NET, probes, num_steps=0),)))
    table = runs.recorder.table()
    assert set(table["step"]) == {0}
    assert "test_loss" in set(table["metric"])


def test_averaged_iterates_are_evaluated_beside_the_last():
    probes = [spec.Evaluate(steps=spec.Steps(last=True), splits=("train",))]
    training = replace_paths(QUADRATIC, {"optimizer.average_iterates": True, "optimizer.learning_rate": 0.25})
    table = fit(Stack(experiment="t/x", runs=(run_of(training, probes),))).recorder.table().set_index("metric")["value"]
    h = np.geomspace(4.0 / 50.0, 4.0, 30)
    iterates = np.array([(1 - 0.25 * h) ** t for t in (1, 2, 3)])
    assert table["train_loss"] == pytest.approx(0.5 * (h * iterates[-1] ** 2).sum())
    assert table["averaged_train_loss"] == pytest.approx(0.5 * (h * iterates.mean(0) ** 2).sum())


def test_rotation_is_the_angle_between_weights_before_and_after_an_update():
    program = program_of(NET)
    before = {name: tensor.clone() for name, tensor in program.parameters.items()}
    program.update(0)
    values = dict((metric, tensor[0]) for metric, tensor, _ in observe.after_update(spec.Rotation(), program, before))
    for layer, name in enumerate(name for name in before if name.endswith("weight")):
        u, v = (tensor[name][0].flatten() for tensor in (before, program.parameters))
        angle = torch.arccos((u @ v) / (u.norm() * v.norm())).item()
        assert values["layer_rotation"][layer].item() == pytest.approx(angle, rel=1e-6)
        assert values["layer_squared_rotation"][layer].item() == pytest.approx(angle**2, rel=1e-6)


def test_rotation_of_what_does_not_move_is_zero_and_of_what_turns_round_is_pi():
    program = program_of(NET)
    before = {name: tensor.clone() for name, tensor in program.parameters.items()}
    told = [dict((m, t) for m, t, _ in observe.after_update(spec.Rotation(), program, before))]
    program.held.parameters = {name: -tensor for name, tensor in before.items()}
    told.append(dict((m, t) for m, t, _ in observe.after_update(spec.Rotation(), program, before)))
    assert told[0]["layer_rotation"].abs().max().item() == 0.0
    assert told[1]["layer_rotation"][:, 1].tolist() == pytest.approx([np.pi] * len(program.runs))


def test_batch_sharpness_is_the_mean_curvature_of_batches_along_their_own_gradients():
    program = program_of(NET)
    names, shapes = list(program.parameters), {name: value[0].shape for name, value in program.parameters.items()}
    flat = torch.cat([program.parameters[name][0].flatten() for name in names])
    quotients = []
    for number in range(3):
        batch = program.batch_of_step(2 + number)

        def loss(flat, batch=batch):
            parts = flat.split([shapes[name].numel() for name in names])
            one = {name: part.reshape(shapes[name]) for name, part in zip(names, parts, strict=True)}
            outputs = torch.func.functional_call(program.module, one, (batch[0][0],))
            return program.task.loss(outputs, *(tensor[0] for tensor in batch))

        gradient = torch.autograd.functional.jacobian(loss, flat)
        hessian = torch.autograd.functional.hessian(loss, flat)
        quotients.append((gradient @ hessian @ gradient / (gradient @ gradient)).item())
    assert max(quotients) > 1.01 * min(quotients)
    found = values_of(spec.BatchSharpness(num_batches=3), program, step=2)["batch_sharpness"]
    assert found == pytest.approx(np.mean(quotients), rel=1e-9)


def test_batch_sharpness_of_a_quadratic_along_its_only_direction_is_its_curvature():
    one = replace_paths(QUADRATIC, {"task.dimension": 1, "model.dimension": 1, "task.condition_number": 1.0})
    assert values_of(spec.BatchSharpness(), program_of(one))["batch_sharpness"] == pytest.approx(4.0, rel=1e-12)


def test_evaluation_of_schedule_free_sgd_is_of_its_average_and_beside_it_of_its_iterate():
    training = replace_paths(QUADRATIC, {"optimizer": spec.ScheduleFree(learning_rate=0.25), "num_steps": 3})
    probe, program = spec.Evaluate(steps=spec.Steps(count=1), splits=("train",)), program_of(training)
    at_start = values_of(probe, program)
    assert at_start["train_loss"] == at_start["iterate_train_loss"] > 0
    for number in range(3):
        program.update(number)
    found = values_of(probe, program, step=3)
    h = torch.tensor(np.geomspace(4.0 / 50.0, 4.0, 30))
    (x,), (y,) = program.state["average"].values(), program.parameters.values()
    for name, point in (("train_loss", x), ("iterate_train_loss", y)):
        assert found[name] == pytest.approx((h * point[0].square()).sum().item() / 2, rel=1e-12)
    assert set(found) == {metric.name for metric in spec.metrics_of(probe, training)}
