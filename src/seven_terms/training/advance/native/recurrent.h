// Forward and backward pass of a recurrent network whose last state is read, or every one (`seven_terms.models.recurrent`).
//
// Simple cells: h_t = f(W_in x_t + b + W h_{t-1}), h_0 = 0. States lie one time after the other, [T, B, ld], so the gradient of W
// is one product over all steps and examples. Steps behind the last one that has a weight in a batch are not made.
#pragma once

#include "dense.h"

// What all cells share: the inputs by time, the sums that they drive, the readout and the loss.
struct Sequence {
    const Program &p;
    const Matrix &input, &recurrent, &readout;
    int ld, ld_gates, ld_out;
    long size, size_gates;  // of a state, and of the gates of a step, for a batch
    int steps;              // that are made of a batch
    Memory x, h, logits, w_transposed;
    Memory targets, weights;  // by time, [T, B, ld_out] and [T, B], where every step is read

    Sequence(const Program &p, const Layout &layout)
        : p(p),
          input(layout.matrices[0]),
          recurrent(layout.matrices[1]),
          readout(layout.matrices[2]),
          ld(padded(p.width)),
          ld_gates(input.ld()),
          ld_out(padded(p.num_outputs)),
          size((long)p.batch * ld),
          size_gates((long)p.batch * ld_gates),
          steps(p.length),
          x((long)p.length * p.batch * p.num_inputs),
          h(p.length * size),
          logits((long)p.num_read() * p.batch * ld_out),
          w_transposed((long)std::max(ld_gates, ld_out) * ld),
          targets(p.read_all ? (long)p.length * p.batch * ld_out : 0),
          weights(p.read_all ? (long)p.length * p.batch : 0) {}

    int rows() const { return steps * p.batch; }
    int first_read() const { return p.read_all ? 0 : steps - 1; }
    int rows_read() const { return (steps - first_read()) * p.batch; }
    Left all_inputs() { return {x.data(), p.num_inputs, 1}; }
    Left states_read() { return {state(first_read()), ld, 1}; }
    Real *state(int t) { return h.data() + t * size; }
    Start of_readout() const { return p.read_all ? KEPT : ZERO; }  // what dL/dh_t holds before later steps add to it

    // Take what an update reads by time, and find the steps that count.
    void begin(const Batch &batch) {
        steps = p.length;
        if (!p.read_all) return;
        steps = 1;
        for (int i = 0; i < p.batch; i++) {
            copy_rows(batch.targets + (long)i * p.length * p.num_outputs, p.num_outputs, targets.data() + i * ld_out,
                      (long)p.batch * ld_out, p.length, p.num_outputs);
            for (int t = 0; t < p.length; t++) {
                Real weight = weights.data()[t * p.batch + i] = batch.weights[(long)i * p.length + t];
                if (weight != 0) steps = std::max(steps, t + 1);
            }
        }
    }

    // y [T, B, ld_gates] = W_in x_t + b, from inputs [B, T, D].
    void drive(const Real *row, const Real *inputs, Real *y) {
        for (int i = 0; i < p.batch; i++)
            copy_rows(inputs + (long)i * p.length * p.num_inputs, p.num_inputs, x.data() + i * p.num_inputs,
                      (long)p.batch * p.num_inputs, steps, p.num_inputs);
        product(y, ld_gates, {false, row + input.bias}, all_inputs(), row + input.at, ld_gates, rows(), ld_gates, p.num_inputs);
    }

    const Real *read(const Real *row) {
        product(logits.data(), ld_out, {false, row + readout.bias}, states_read(), row + readout.at, ld_out, rows_read(),
                p.num_outputs, p.width);
        return logits.data();
    }

    // From the outputs in `logits` to dL/dh_t of the steps that are read, in g; return the loss. W^T of the recurrent matrix is
    // left in `w_transposed`.
    Real read_backward(const Real *row, Real *found, const Batch &batch, Real *g) {
        Real loss = p.loss == (int)Loss::bernoulli
                         ? bernoulli_backward(p, logits.data(), targets.data(), weights.data(), rows_read())
                         : loss_backward(p, logits.data(), ld_out, batch.labels, batch.targets);
        parameters_backward(readout, found, states_read(), logits.data(), rows_read());
        input_backward(readout, row, logits.data(), g, ZERO, w_transposed.data(), rows_read());
        transpose(row + recurrent.at, ld_gates, w_transposed.data(), ld, p.width, ld_gates);
        return loss;
    }

    // y [B, ld_gates] = start + W h.
    void recur(const Real *row, const Real *h, Real *y, Start start) {
        product(y, ld_gates, start, {h, ld, 1}, row + recurrent.at, ld_gates, p.batch, ld_gates, p.width);
    }

    // dL/dh_{t-1} = start + W^T dL/d(sums of step t).
    void recur_backward(const Real *of_sums, Real *of_h, Start start) {
        product(of_h, ld, start, {of_sums, ld_gates, 1}, w_transposed.data(), ld, p.batch, p.width, ld_gates);
    }

    // The gradients of both matrices from those of what the inputs drive, and of what the states add, each [T, B, ld_gates].
    void weights_backward(Real *found, Real *of_driven, Real *of_recurrent) {
        parameters_backward(input, found, all_inputs(), of_driven, rows());
        parameters_backward(recurrent, found, {h.data(), ld, 1}, of_recurrent + size_gates, rows() - p.batch);
    }
};

struct SimpleNet : Sequence {
    Memory of_sums;
    Memory of_states;  // dL/dh_t from t = 0 on, for the regularizer

    SimpleNet(const Program &p, const Layout &layout)
        : Sequence(p, layout), of_sums(p.length * size), of_states(p.regularization != 0 ? (p.length + 1) * size : 0) {}

    Real pass(const Real *row, Real *found, const Batch &batch, Real *const *) {
        begin(batch);
        evaluate(row, batch.inputs, nullptr);
        Real loss = read_backward(row, found, batch, of_sums.data() + first_read() * size);
        backward();
        weights_backward(found, of_sums.data(), of_sums.data());
        if (p.regularization != 0) regularize(found);
        return loss;
    }

    const Real *evaluate(const Real *row, const Real *inputs, Real *const *) {
        drive(row, inputs, h.data());
        for (int t = 0; t < steps; t++) {
            if (t) recur(row, state(t - 1), state(t), KEPT);
            activate(p.activation, state(t), state(t), size);
        }
        return read(row);
    }

    // From what the readout gives, dL/dh_T or its share of every dL/dh_t, to dL/d(sum before f) of every step.
    void backward() {
        Real *g = of_sums.data() + (steps - 1) * size;
        for (int t = steps - 1; t >= 0; t--, g -= size) {
            if (p.regularization != 0) std::memcpy(of_states.data() + (t + 1) * size, g, size * sizeof(Real));
            times_slope(p.activation, g, state(t), size);
            if (t) recur_backward(g, g - size, of_readout());
        }
        if (p.regularization != 0) recur_backward(of_sums.data(), of_states.data(), ZERO);
    }

    // Add the derivative of Omega to that of the recurrent matrix, as in `seven_terms.models.recurrence`.
    void regularize(Real *found) {
        Real *d = of_states.data();
        int number = 0;
        for (int i = 0; i < rows(); i++) number += counts(d + (long)i * ld + size);
        for (int i = 0; i < rows(); i++) {
            Real *earlier = d + (long)i * ld, *later = earlier + size, of_later = square(later);
            Real factor = 4.0f * p.regularization * (square(earlier) / of_later - 1.0f) / (of_later * number);
            if (!counts(later)) factor = 0;
            for (int j = 0; j < ld; j += LANES) store(earlier + j, factor * load(earlier + j));
        }
        product(found + recurrent.at, ld, KEPT, {d, 1, ld}, of_sums.data(), ld, p.width, p.width, rows());
    }

    bool counts(const Real *of_state) const { return square(of_state) >= (Real)1e-20; }

    Real square(const Real *v) const {
        V sum = {};
        for (int j = 0; j < ld; j += LANES) sum += load(v + j) * load(v + j);
        return sum_of_lanes(sum);
    }
};
