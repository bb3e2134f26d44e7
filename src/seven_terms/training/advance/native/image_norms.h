// Group and layer normalization of images, forward and backward: the numbers of a group of channels at all places of an image.
//
// Lanes are channels: sums go over the places of each channel, then over the channels of a group in their order.
#pragma once

#include "norms.h"

// Each channel's share in what its group has in common.
struct Groups {
    const Program &p;
    long places;

    // Each channel's sum in `of_channel` becomes the mean of its group; what pads a row becomes zero.
    void spread(Real *of_channel, long ld) const {
        int channels = p.width / p.num_groups;
        Real count = (Real)places * channels;
        for (int first = 0; first < p.width; first += channels) {
            Real sum = 0;
            for (int c = first; c < first + channels; c++) sum += of_channel[c];
            for (int c = first; c < first + channels; c++) of_channel[c] = sum / count;
        }
        for (long c = p.width; c < ld; c++) of_channel[c] = 0;
    }
};

// x [B * places, ld], where n.p.batch counts the places of all images; n.inv_std is [B, ld].
static void group_norm_of_images(const Normalized &n, long places, Real *room, Real *x) {
    Groups groups = {n.p, places};
    for (long b = 0; b < n.p.batch / places; b++) {
        Real *of_image = x + b * places * n.ld, *x_hat = n.x_hat + b * places * n.ld, *inv_std = n.inv_std + b * n.ld;
        for (int j = 0; j < n.ld; j += LANES) {
            V sum = {};
            for (long i = 0; i < places; i++) sum += load(of_image + i * n.ld + j);
            store(room + j, sum);
        }
        groups.spread(room, n.ld);
        for (int j = 0; j < n.ld; j += LANES) {
            V mean = load(room + j), squares = {};
            for (long i = 0; i < places; i++) {
                V c = load(of_image + i * n.ld + j) - mean;
                squares += c * c;
            }
            store(inv_std + j, squares);
        }
        groups.spread(inv_std, n.ld);
        for (int j = 0; j < n.ld; j += LANES) {
            V mean = load(room + j), gamma = n.gamma_at(j), beta = n.beta_at(j);
            V scale = 1.0f / square_root(load(inv_std + j) + n.p.eps);
            store(inv_std + j, scale);
            for (long i = 0; i < places; i++) {
                V c = (load(of_image + i * n.ld + j) - mean) * scale;
                store(x_hat + i * n.ld + j, c);
                store(of_image + i * n.ld + j, c * gamma + beta);
            }
        }
    }
}

// dL/dy in g becomes dL/dx; the gradients of gamma and beta are written, or added to what is there. `room` is [2, ld].
static void group_norm_of_images_backward(
    const Normalized &n, long places, Real *room, Real *g, Real *of_gamma, Real *of_beta, bool is_kept) {
    Groups groups = {n.p, places};
    Real *means = room, *slopes = room + n.ld;
    if (!is_kept) std::memset(of_gamma, 0, n.ld * sizeof(Real)), std::memset(of_beta, 0, n.ld * sizeof(Real));
    for (long b = 0; b < n.p.batch / places; b++) {
        Real *g_b = g + b * places * n.ld, *x_hat = n.x_hat + b * places * n.ld, *inv_std = n.inv_std + b * n.ld;
        for (int j = 0; j < n.ld; j += LANES) {
            V along_x_hat = {}, sum = {}, gamma = n.gamma_at(j);
            for (long i = 0; i < places; i++) {
                V of_y = load(g_b + i * n.ld + j);
                sum += of_y;
                along_x_hat += of_y * load(x_hat + i * n.ld + j);
            }
            store(of_gamma + j, load(of_gamma + j) + along_x_hat), store(of_beta + j, load(of_beta + j) + sum);
            store(means + j, sum * gamma), store(slopes + j, along_x_hat * gamma);
        }
        groups.spread(means, n.ld), groups.spread(slopes, n.ld);
        for (int j = 0; j < n.ld; j += LANES) {
            V gamma = n.gamma_at(j), mean = load(means + j), slope = load(slopes + j), scale = load(inv_std + j);
            for (long i = 0; i < places; i++) {
                V of_x_hat = load(g_b + i * n.ld + j) * gamma;
                store(g_b + i * n.ld + j, (of_x_hat - mean - load(x_hat + i * n.ld + j) * slope) * scale);
            }
        }
    }
}
