// Batch, group and layer normalization, forward and backward (`seven_terms.models.normalization`), on x [B, ld].
#pragma once

#include "layers.h"

// The lanes of the vector at j that are features first ... stop - 1.
static inline I inside(int first, int stop, int j) { return (LANE + j >= first) & (LANE + j < stop); }

// Of one layer. `inv_std` is [ghosts, ld] for batch norm, [B, groups] for group norm; gamma and beta are used if `affine`.
struct Normalized {
    const Program &p;
    long ld;
    const Real *gamma, *beta;
    Real *x_hat, *inv_std;
    Real *running_mean, *running_var;
    const Real *stretch, *shift;  // [H] each: noisy batch norm's y = (stretch x_hat + shift) gamma + beta; null without

    V gamma_at(int j) const { return p.affine ? load(gamma + j) : all(1.0f); }
    V beta_at(int j) const { return p.affine ? load(beta + j) : V{}; }
    V stretch_at(int j) const { return stretch ? load_some(stretch + j, p.width - j) : all(1.0f); }
    V shift_at(int j) const { return shift ? load_some(shift + j, p.width - j) : V{}; }
    V inv_std_of(V var, int j) const {  // eps may be 0, and what pads a row stays finite
        return p.scale ? 1.0f / square_root(choose(inside(0, p.width, j), var + p.eps, all(1.0f))) : all(1.0f);
    }
};

// Each ghost batch by its own statistics; the running ones take the average over ghosts.
static void batch_norm(const Normalized &n, Real *x) {
    const Program &p = n.p;
    int ghosts = p.batch / p.ghost;
    Real count = p.ghost, unbiased = p.center ? count / (count - 1) : 1.0f;
    for (int j = 0; j < p.width; j += LANES) {
        V gamma = n.gamma_at(j), beta = n.beta_at(j), stretch = n.stretch_at(j), shift = n.shift_at(j);
        V mean_of_means = {}, mean_of_vars = {};
        for (int k = 0; k < ghosts; k++) {
            Real *x_k = x + (long)k * p.ghost * n.ld + j, *x_hat = n.x_hat + (long)k * p.ghost * n.ld + j;
            V sum = {}, squares = {};
            for (int i = 0; i < p.ghost; i++) sum += load(x_k + i * n.ld);
            V mean = sum / count;
            for (int i = 0; i < p.ghost; i++) {
                V c = load(x_k + i * n.ld);
                c = p.center ? c - mean : c;
                store(x_hat + i * n.ld, c);
                squares += c * c;
            }
            V var = squares / count;
            V inv_std = n.inv_std_of(var, j);
            store(n.inv_std + k * n.ld + j, inv_std);
            for (int i = 0; i < p.ghost; i++) {
                V c = load(x_hat + i * n.ld) * inv_std;
                store(x_hat + i * n.ld, c);
                store(x_k + i * n.ld, (n.stretch ? c * stretch + shift : c) * gamma + beta);
            }
            mean_of_means += mean / (Real)ghosts, mean_of_vars += var / (Real)ghosts;
        }
        Real *running_mean = n.running_mean + j, *running_var = n.running_var + j;
        V mean = load_some(running_mean, p.width - j), var = load_some(running_var, p.width - j);
        store_some(running_mean, mean + p.statistics_momentum * (mean_of_means - mean), p.width - j);
        store_some(running_var, var + p.statistics_momentum * (mean_of_vars * unbiased - var), p.width - j);
    }
}

// In evaluation mode: by the running statistics.
static void batch_norm_by_running(const Normalized &n, Real *x) {
    const Program &p = n.p;
    for (int j = 0; j < p.width; j += LANES) {
        V gamma = n.gamma_at(j), beta = n.beta_at(j);
        V mean = p.center ? load_some(n.running_mean + j, p.width - j) : V{};
        V inv_std = n.inv_std_of(load_some(n.running_var + j, p.width - j), j);
        for (int i = 0; i < p.batch; i++) store(x + i * n.ld + j, (load(x + i * n.ld + j) - mean) * inv_std * gamma + beta);
    }
}

// dL/dy in g becomes dL/dx; the gradients of gamma and beta are written.
static void batch_norm_backward(const Normalized &n, Real *g, Real *of_gamma, Real *of_beta) {
    const Program &p = n.p;
    Real count = p.ghost;
    for (int j = 0; j < p.width; j += LANES) {
        V stretch = n.stretch_at(j), shift = n.shift_at(j), total_along = {}, total = {};
        V to_x_hat = n.gamma_at(j) * stretch;
        for (int k = 0; k < p.batch / p.ghost; k++) {
            Real *g_k = g + (long)k * p.ghost * n.ld + j, *x_hat = n.x_hat + (long)k * p.ghost * n.ld + j;
            V along_x_hat = {}, sum = {};
            for (int i = 0; i < p.ghost; i++) {
                V of_y = load(g_k + i * n.ld);
                sum += of_y;
                along_x_hat += of_y * load(x_hat + i * n.ld);
            }
            total_along += along_x_hat, total += sum;
            V factor = to_x_hat * load(n.inv_std + k * n.ld + j);
            V mean = p.center ? sum / count : V{}, slope = p.scale ? along_x_hat / count : V{};
            for (int i = 0; i < p.ghost; i++)
                store(g_k + i * n.ld, (load(g_k + i * n.ld) - mean - load(x_hat + i * n.ld) * slope) * factor);
        }
        if (!p.affine) continue;
        store(of_gamma + j, n.stretch ? total_along * stretch + total * shift : total_along);
        store(of_beta + j, total);
    }
}

// Each example by the statistics of each group of features; one group is layer norm.
static void group_norm(const Normalized &n, Real *x) {
    const Program &p = n.p;
    int features = p.width / p.num_groups;
    for (int k = 0; k < p.num_groups; k++) {
        int first = k * features, stop = first + features, start = first / LANES * LANES;
        for (int i = 0; i < p.batch; i++) {
            V sum = {}, squares = {};
            Real *row = x + i * n.ld, *x_hat = n.x_hat + i * n.ld;
            for (int j = start; j < stop; j += LANES)
                sum += choose(inside(first, stop, j), load(row + j), V{});
            Real mean = sum_by_halves(sum) / features;
            for (int j = start; j < stop; j += LANES) {
                V c = choose(inside(first, stop, j), load(row + j) - mean, V{});
                squares += c * c;
            }
            Real inv_std = 1.0f / std::sqrt(sum_by_halves(squares) / features + p.eps);
            n.inv_std[i * p.num_groups + k] = inv_std;
            for (int j = start; j < stop; j += LANES) {
                V c = (load(row + j) - mean) * inv_std;
                store(x_hat + j, choose(inside(first, stop, j), c, load(x_hat + j)));
            }
        }
    }
    for (int j = 0; j < p.width; j += LANES) {
        V gamma = n.gamma_at(j), beta = n.beta_at(j);
        for (int i = 0; i < p.batch; i++) store(x + i * n.ld + j, load(n.x_hat + i * n.ld + j) * gamma + beta);
    }
}

static void group_norm_backward(const Normalized &n, Real *g, Real *of_gamma, Real *of_beta) {
    const Program &p = n.p;
    int features = p.width / p.num_groups;
    for (int j = 0; j < p.width; j += LANES) {
        V along_x_hat = {}, sum = {}, gamma = n.gamma_at(j);
        for (int i = 0; i < p.batch; i++) {
            V of_y = load(g + i * n.ld + j);
            sum += of_y;
            along_x_hat += of_y * load(n.x_hat + i * n.ld + j);
            store(g + i * n.ld + j, of_y * gamma);
        }
        store(of_gamma + j, along_x_hat), store(of_beta + j, sum);
    }
    for (int k = 0; k < p.num_groups; k++) {
        int first = k * features, stop = first + features, start = first / LANES * LANES;
        for (int i = 0; i < p.batch; i++) {
            V sum = {}, along_x_hat = {};
            Real *row = g + i * n.ld, *x_hat = n.x_hat + i * n.ld;
            for (int j = start; j < stop; j += LANES) {
                V of_x_hat = choose(inside(first, stop, j), load(row + j), V{});
                sum += of_x_hat;
                along_x_hat += of_x_hat * load(x_hat + j);
            }
            Real mean = sum_by_halves(sum) / features, slope = sum_by_halves(along_x_hat) / features;
            Real inv_std = n.inv_std[i * p.num_groups + k];
            for (int j = start; j < stop; j += LANES) {
                V of_x = (load(row + j) - mean - load(x_hat + j) * slope) * inv_std;
                store(row + j, choose(inside(first, stop, j), of_x, load(row + j)));
            }
        }
    }
}
