// Activation functions and losses with their backward passes, on rows of padded numbers.
#pragma once

#include "layout.h"

template <Activation A>
static inline V activated(V x) {
    if constexpr (A == Activation::sigmoid) return sigmoid(x);
    if constexpr (A == Activation::tanh) return hyperbolic_tangent(x);
    if constexpr (A == Activation::relu) return choose(x < 0.0f, V{}, x);  // NaN stays NaN
    if constexpr (A == Activation::softsign) return x / (1.0f + absolute(x));
    return x;
}

// g times the derivative at x, from y = f(x).
template <Activation A>
static inline V times_slope_at(V g, V y) {
    if constexpr (A == Activation::sigmoid) return g * (y * (1.0f - y));
    if constexpr (A == Activation::tanh) return g * (1.0f - y * y);
    if constexpr (A == Activation::relu) return choose(y <= 0.0f, V{}, g);
    if constexpr (A == Activation::softsign) {
        V rest = 1.0f - absolute(y);
        return g * (rest * rest);
    }
    return g;
}

// Call body(constant of the activation), so that loops are compiled for each one.
template <class Body>
static inline void for_activation(int activation, Body body) {
    switch ((Activation)activation) {
#define AS_CASE(word) \
    case Activation::word: return body(std::integral_constant<Activation, Activation::word>());
        ACTIVATIONS(AS_CASE)
#undef AS_CASE
    }
}

static void activate(int activation, const Real *x, Real *y, long size) {
    for_activation(activation, [=](auto constant) {
        for (long i = 0; i < size; i += LANES) store(y + i, activated<constant()>(load(x + i)));
    });
}

static void times_slope(int activation, Real *g, const Real *y, long size) {
    if (activation == (int)Activation::identity) return;
    for_activation(activation, [=](auto constant) {
        for (long i = 0; i < size; i += LANES) store(g + i, times_slope_at<constant()>(load(g + i), load(y + i)));
    });
}

// out [columns] = sum of the rows of x [rows, ld], or that and what `out` holds.
static void sum_rows(const Real *x, long ld, int rows, int columns, Real *out, bool is_kept = false) {
    for (int j = 0; j < columns; j += LANES) {
        V sum = is_kept ? load(out + j) : V{};
        for (int i = 0; i < rows; i++) sum += load(x + i * ld + j);
        store(out + j, sum);
    }
}

// means [groups, ld] of the rows of each group, x [groups * members, ld], and back.
[[maybe_unused]] static void mean_of_rows(const Real *x, int ld, int groups, int members, Real *means) {
    for (int b = 0; b < groups; b++)
        for (int j = 0; j < ld; j += LANES) {
            V sum = {};
            for (int i = 0; i < members; i++) sum += load(x + ((long)b * members + i) * ld + j);
            store(means + (long)b * ld + j, sum / (Real)members);
        }
}
[[maybe_unused]] static void spread_to_rows(const Real *of_means, int ld, int groups, int members, Real *g) {
    for (int b = 0; b < groups; b++)
        for (int i = 0; i < members; i++)
            for (int j = 0; j < ld; j += LANES)
                store(g + ((long)b * members + i) * ld + j, load(of_means + (long)b * ld + j) / (Real)members);
}

// One at the place of a label, in the vector of outputs from j on.
static inline V one_hot(const int64_t *label, long j) { return choose(LANE + (int)j == (int)*label, all(1.0f), V{}); }

// The loss of one example of `size`; its outputs in `row` become their gradient. Sums over outputs go one by one, in their order.
static inline Real cross_entropy_backward(const Program &p, Real *row, long ld, const int64_t *label, Real size) {
    Real largest = row[0], sum = 0, chosen = row[*label];
    for (int j = 1; j < p.num_outputs; j++) largest = row[j] > largest ? row[j] : largest;
    if (!(largest <= Own::LARGEST)) largest = 0;  // infinite: the sum becomes infinite or NaN, as it should
    for (long j = 0; j < ld; j += LANES) store(row + j, exponential(load(row + j) - largest));
    for (int j = 0; j < p.num_outputs; j++) sum += row[j];
    for (long j = 0; j < ld; j += LANES) {
        V g = (load(row + j) / sum - one_hot(label, j)) / size;
        store(row + j, choose(LANE + (int)j < p.num_outputs, g, V{}));
    }
    return std::log(sum) + largest - chosen;
}

static inline Real half_squared_error_backward(const Program &p, Real *row, long ld, const int64_t *label, Real size) {
    Real sum = 0;
    for (long j = 0; j < ld; j += LANES) store(row + j, load(row + j) - one_hot(label, j));
    for (int j = 0; j < p.num_outputs; j++) sum += row[j] * row[j];
    for (long j = 0; j < ld; j += LANES) store(row + j, choose(LANE + (int)j < p.num_outputs, load(row + j) / size, V{}));
    return 0.5f * sum;
}

static inline Real squared_error_backward(const Program &p, Real *row, long ld, const Real *target, Real size) {
    Real sum = 0, half = (Real)1 / p.num_outputs;
    for (long j = 0; j < ld; j += LANES) store(row + j, choose(LANE + (int)j < p.num_outputs, load(row + j), V{}));
    for (int j = 0; j < p.num_outputs; j++) {  // of few targets
        Real error = row[j] - target[j];
        sum += error * error;
        row[j] = 2 * half * error / size;
    }
    return half * sum;
}

// -log Bernoulli(target; sigmoid(output)) summed over outputs, and the mean over rows by weight; outputs [rows, ld] become its
// gradient. targets [rows, ld].
[[maybe_unused]] static Real bernoulli_backward(const Program &p, Real *outputs, const Real *targets, const Real *weights, int rows) {
    Real all_weights = 0;
    V total = {};
    int ld = padded(p.num_outputs);
    for (int i = 0; i < rows; i++) all_weights += weights[i];
    for (int i = 0; i < rows; i++) {
        Real *row = outputs + (long)i * ld, share = weights[i] / all_weights;
        for (int j = 0; j < ld; j += LANES) {
            I counts = LANE < p.num_outputs - j;
            V x = load(row + j), y = load(targets + (long)i * ld + j), rest = exponential(-absolute(x));
            V nats = choose(x < 0.0f, V{}, x) + log_of_one_more(rest) - y * x;
            V chance = choose(x < 0.0f, rest, all(1.0f)) / (1.0f + rest);
            total += choose(counts, weights[i] * nats, V{});
            store(row + j, choose(counts, share * (chance - y), V{}));
        }
    }
    return sum_of_lanes(total) / all_weights;
}

// Add the losses of some examples of a batch; outputs [examples, ld] become the gradient of their mean over the batch.
static void add_losses(
    const Program &p, int examples, Real *outputs, long ld, const int64_t *labels, const Real *targets, Real &total) {
    Real size = p.batch;
    for (int i = 0; i < examples; i++) {
        Real *row = outputs + i * ld;
        switch ((Loss)p.loss) {
        case Loss::cross_entropy: total += cross_entropy_backward(p, row, ld, labels + i, size); break;
        case Loss::half_squared_error: total += half_squared_error_backward(p, row, ld, labels + i, size); break;
        case Loss::squared_error: total += squared_error_backward(p, row, ld, targets + (long)i * p.num_outputs, size); break;
        case Loss::bernoulli: break;  // of rows with weights, above
        }
    }
}

// The mean loss over a batch; outputs [B, ld] become its gradient.
static Real loss_backward(const Program &p, Real *outputs, long ld, const int64_t *labels, const Real *targets) {
    Real total = 0;
    add_losses(p, p.batch, outputs, ld, labels, targets, total);
    return total / p.batch;
}
