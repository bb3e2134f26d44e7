// Activation functions, batch normalization and losses with their backward passes, on rows of padded numbers.
#pragma once

#include "layout.h"

static inline V activated(int activation, V x) {
    switch (activation) {
        case SIGMOID: return sigmoid(x);
        case TANH: return hyperbolic_tangent(x);
        case RELU: return choose(x < 0.0f, V{}, x);  // NaN stays NaN
        case SOFTSIGN: return x / (1.0f + absolute(x));
    }
    return x;
}

// The derivative at x, from y = f(x).
static inline V slope(int activation, V y) {
    switch (activation) {
        case SIGMOID: return y * (1.0f - y);
        case TANH: return 1.0f - y * y;
        case RELU: return choose(y <= 0.0f, V{}, all(1.0f));
        case SOFTSIGN: { V rest = 1.0f - absolute(y); return rest * rest; }
    }
    return all(1.0f);
}

static void activate(int activation, const float *x, float *y, long size) {
    for (long i = 0; i < size; i += LANES) store(y + i, activated(activation, load(x + i)));
}

static void times_slope(int activation, float *gradient, const float *y, long size) {
    if (activation == IDENTITY) return;
    for (long i = 0; i < size; i += LANES) {
        V g = load(gradient + i), s = slope(activation, load(y + i));
        store(gradient + i, activation == RELU ? choose(load(y + i) <= 0.0f, V{}, g) : g * s);
    }
}

// out [columns] = sum of the rows of x [rows, ld].
static void sum_rows(const float *x, long ld, int rows, int columns, float *out) {
    for (int j = 0; j < columns; j += LANES) {
        V sum = {};
        for (int i = 0; i < rows; i++) sum += load(x + i * ld + j);
        store(out + j, sum);
    }
}

// Ioffe and Szegedy 2015, algorithms 1 and 2 as in `seven_terms.models.normalization`: x [batch, ld] becomes y, `standard` keeps
// x^ and `rate` the factor 1 / sqrt(var + eps). Running statistics move.
static void normalize(
    const Program &p, float *x, long ld, const float *gain, const float *shift, float *standard, float *rate, float *mean,
    float *var) {
    float count = p.batch, unbiased = p.center ? count / (count - 1) : 1.0f;
    for (int j = 0; j < p.width; j += LANES) {
        V sum = {}, squares = {};
        for (int i = 0; i < p.batch; i++) sum += load(x + i * ld + j);
        V center = sum / count;
        for (int i = 0; i < p.batch; i++) {
            V c = load(x + i * ld + j);
            c = p.center ? c - center : c;
            store(standard + i * ld + j, c);
            squares += c * c;
        }
        V variance = squares / count, factor;
        for (int l = 0; l < LANES; l++) factor[l] = p.scale ? 1.0f / std::sqrt(variance[l] + p.eps) : 1.0f;
        store(rate + j, factor);
        V a = p.affine ? load(gain + j) : all(1.0f), b = p.affine ? load(shift + j) : V{};
        for (int i = 0; i < p.batch; i++) {
            V c = load(standard + i * ld + j) * factor;
            store(standard + i * ld + j, c);
            store(x + i * ld + j, c * a + b);
        }
        for (int l = 0; l < LANES && j + l < p.width; l++) {
            mean[j + l] += p.statistics_momentum * (center[l] - mean[j + l]);
            var[j + l] += p.statistics_momentum * (variance[l] * unbiased - var[j + l]);
        }
    }
}

// In evaluation mode: by the running statistics.
static void normalize_by_running(
    const Program &p, float *x, long ld, int rows, const float *gain, const float *shift, const float *mean, const float *var) {
    for (int j = 0; j < p.width; j += LANES) {
        V center = {}, factor = all(1.0f);
        for (int l = 0; l < LANES && j + l < p.width; l++) {
            if (p.center) center[l] = mean[j + l];
            if (p.scale) factor[l] = 1.0f / std::sqrt(var[j + l] + p.eps);
        }
        V a = p.affine ? load(gain + j) : all(1.0f), b = p.affine ? load(shift + j) : V{};
        for (int i = 0; i < rows; i++) store(x + i * ld + j, (load(x + i * ld + j) - center) * factor * a + b);
    }
}

// dL/dy in `gradient` becomes dL/dx; the gradients of gain and shift are written.
static void normalize_backward(
    const Program &p, float *gradient, long ld, const float *gain, const float *standard, const float *rate, float *of_gain,
    float *of_shift) {
    float count = p.batch;
    for (int j = 0; j < p.width; j += LANES) {
        V along = {}, sum = {};
        for (int i = 0; i < p.batch; i++) {
            V g = load(gradient + i * ld + j);
            sum += g;
            along += g * load(standard + i * ld + j);
        }
        if (p.affine) store(of_gain + j, along), store(of_shift + j, sum);
        V a = (p.affine ? load(gain + j) : all(1.0f)) * load(rate + j);
        V mean = p.center ? sum / count : V{}, tilt = p.scale ? along / count : V{};
        for (int i = 0; i < p.batch; i++) {
            V g = load(gradient + i * ld + j) - mean - load(standard + i * ld + j) * tilt;
            store(gradient + i * ld + j, g * a);
        }
    }
}

// The mean loss over a batch; outputs [batch, ld] become its gradient. Sums over outputs go one by one, in their order.
static float loss_backward(const Program &p, float *outputs, long ld, const int64_t *labels, const float *targets) {
    float total = 0, size = p.batch;
    for (int i = 0; i < p.batch; i++) {
        float *row = outputs + i * ld;
        if (p.loss == CROSS_ENTROPY) {
            float largest = row[0], sum = 0, chosen = row[labels[i]];
            for (int j = 1; j < p.num_outputs; j++) largest = row[j] > largest ? row[j] : largest;
            if (!(largest <= 3e38f)) largest = 0;  // infinite: the sum becomes infinite or NaN, as it should
            for (long j = 0; j < ld; j += LANES) store(row + j, exponential(load(row + j) - largest));
            for (int j = 0; j < p.num_outputs; j++) sum += row[j];
            total += std::log(sum) + largest - chosen;
            for (int j = 0; j < p.num_outputs; j++) row[j] = (row[j] / sum - (j == labels[i])) / size;
        } else {
            float sum = 0, half = p.loss == HALF_SQUARED_ERROR ? 0.5f : 1.0f / p.num_outputs;
            for (int j = 0; j < p.num_outputs; j++) {
                float target = p.loss == HALF_SQUARED_ERROR ? (float)(j == labels[i]) : targets[i * p.num_outputs + j];
                float apart = row[j] - target;
                sum += apart * apart;
                row[j] = 2 * half * apart / size;
            }
            total += half * sum;
        }
        for (long j = p.num_outputs; j < ld; j++) row[j] = 0;
    }
    return total / size;
}
