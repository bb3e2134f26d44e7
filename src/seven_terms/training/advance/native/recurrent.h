// Forward and backward pass of a simple recurrent network whose last state is read (`seven_terms.models.recurrent`).
//
// h_t = f(W_in x_t + b + W h_{t-1}), h_0 = 0. States lie one time after the other, so the gradient of W is one product over all
// steps and examples.
#pragma once

#include "dense.h"

struct RecurrentNet {
    const Program &p;
    const Matrix &input, &recurrent, &readout;
    int ld, ldo;
    long size;  // of a state for a batch
    Memory states, gradients, by_time, logits, turned;
    Memory of_states;  // dL/dh_t from t = 0 on, for the regularizer

    RecurrentNet(const Program &p, const Layout &layout)
        : p(p),
          input(layout.matrices[0]),
          recurrent(layout.matrices[1]),
          readout(layout.matrices[2]),
          ld(padded(p.width)),
          ldo(padded(p.num_outputs)),
          size((long)p.batch * ld),
          states(p.length * size),
          gradients(p.length * size),
          by_time((long)p.length * p.batch * p.num_inputs),
          logits((long)p.batch * ldo),
          turned((long)(ld > ldo ? ld : ldo) * ld),
          of_states(p.regularization != 0 ? (p.length + 1) * size : 0) {}

    // As in `Dense`; inputs are [batch, length, num_inputs].
    float pass(
        const float *row, float *found, const float *inputs, const int64_t *labels, const float *targets, float *const *) {
        int rows = p.length * p.batch;
        Left x = {by_time.data(), p.num_inputs, 1}, last = {states.data() + (p.length - 1) * size, ld, 1};
        evaluate(row, inputs, nullptr);
        float loss = loss_backward(p, logits.data(), ldo, labels, targets);
        parameters_backward(readout, found, last, logits.data(), p.batch);
        backward(row);
        parameters_backward(input, found, x, gradients.data(), rows);
        parameters_backward(recurrent, found, {states.data(), ld, 1}, gradients.data() + size, rows - p.batch);
        if (p.regularization != 0) regularize(found, rows);
        return loss;
    }

    const float *evaluate(const float *row, const float *inputs, float *const *) {
        int rows = p.length * p.batch;
        for (int i = 0; i < p.batch; i++)
            copy_rows(inputs + (long)i * p.length * p.num_inputs, p.num_inputs, by_time.data() + i * p.num_inputs,
                      (long)p.batch * p.num_inputs, p.length, p.num_inputs);
        Left x = {by_time.data(), p.num_inputs, 1};
        product(states.data(), ld, {false, row + input.bias}, x, row + input.at, ld, rows, p.width, p.num_inputs);
        for (int t = 0; t < p.length; t++) {
            float *state = states.data() + t * size;
            if (t) product(state, ld, KEPT, {state - size, ld, 1}, row + recurrent.at, ld, p.batch, p.width, p.width);
            activate(p.activation, state, state, size);
        }
        Left last = {states.data() + (p.length - 1) * size, ld, 1};
        product(logits.data(), ldo, {false, row + readout.bias}, last, row + readout.at, ldo, p.batch, p.num_outputs, p.width);
        return logits.data();
    }

    // From the gradient in `logits` to `gradients`, dL/d(sum before f) of every step.
    void backward(const float *row) {
        float *now = gradients.data() + (p.length - 1) * size;
        transpose(row + readout.at, ldo, turned.data(), ld, p.width, p.num_outputs);
        product(now, ld, ZERO, {logits.data(), ldo, 1}, turned.data(), ld, p.batch, p.width, p.num_outputs);
        transpose(row + recurrent.at, ld, turned.data(), ld, p.width, p.width);
        for (int t = p.length - 1; t >= 0; t--, now -= size) {
            if (p.regularization != 0) std::memcpy(of_states.data() + (t + 1) * size, now, size * sizeof(float));
            times_slope(p.activation, now, states.data() + t * size, size);
            if (t) product(now - size, ld, ZERO, {now, ld, 1}, turned.data(), ld, p.batch, p.width, p.width);
        }
        if (p.regularization == 0) return;
        product(of_states.data(), ld, ZERO, {gradients.data(), ld, 1}, turned.data(), ld, p.batch, p.width, p.width);
    }

    // Add the derivative of Omega to that of the recurrent matrix, as in `seven_terms.models.recurrence`, from `rows` terms.
    void regularize(float *found, int rows) {
        float *d = of_states.data();
        int number = 0;
        for (int i = 0; i < rows; i++) number += counts(d + (long)i * ld + size);
        for (int i = 0; i < rows; i++) {
            float *earlier = d + (long)i * ld, *later = earlier + size, of_later = square(later);
            float factor = 4.0f * p.regularization * (square(earlier) / of_later - 1.0f) / (of_later * number);
            if (!counts(later)) factor = 0;
            for (int j = 0; j < ld; j += LANES) store(earlier + j, factor * load(earlier + j));
        }
        product(found + recurrent.at, ld, KEPT, {d, 1, ld}, gradients.data(), ld, p.width, p.width, rows);
    }

    bool counts(const float *of_state) const { return square(of_state) >= 1e-20f; }

    float square(const float *x) const {
        V sum = {};
        for (int j = 0; j < ld; j += LANES) sum += load(x + j) * load(x + j);
        return sum_of_lanes(sum);
    }
};
