// Forward and backward pass of a convolutional network (`seven_terms.models.convolutional`, `Cnn` and `Resnet`) on one batch.
//
// In a residual net the first convolution is the stem, and each two after it are a block: its input is added to what the second
// one's normalization gives, at every stride-th place and with channels of zeros around it where there are more now.
#pragma once

#include "first_convolution.h"
#include "image_norms.h"

// A convolution, its normalization and the activation; and, at the end of a block, what is added in between.
struct ConvolutionLayer {
    Program own;  // what the normalization sees: rows in place of examples, channels in place of units
    Convolution convolution;
    int index_of_matrix;
    Memory y, x_hat, inv_std;

    ConvolutionLayer(const Program &p, const Layout &layout, int index_of_matrix, int side_in, int stride, int ld_in)
        : own(p),
          convolution(p.batch, layout.matrices[index_of_matrix], side_in, stride, ld_in),
          index_of_matrix(index_of_matrix),
          y(size()),
          x_hat(p.normalized() ? size() : 0),
          inv_std(p.normalized() ? (long)p.batch * convolution.ld : 0) {
        own.batch = convolution.rows, own.width = convolution.matrix.out, own.ghost = p.ghost * convolution.places;
    }
    long size() const { return convolution.rows * convolution.ld; }
};

struct ConvolutionNet {
    static constexpr long VALUES_OF_A_PART = 1 << 15;  // of its largest layer: some layers stay in the second cache

    const Program &p;
    const Program part;  // of as many examples as are worked on at a time
    const Layout &layout;
    std::vector<ConvolutionLayer> layers;
    FirstConvolution first;
    Memory pooled, logits, gradient, below, skipped, columns, w_transposed, room;
    bool is_evaluating = false;

    ConvolutionNet(const Program &p, const Layout &layout)
        : p(p),
          part(part_of(p)),
          layout(layout),
          layers(layers_of(part, layout)),
          first(layers[0].convolution),
          pooled((long)part.batch * last().ld),
          logits((long)p.batch * padded(p.num_outputs)),
          gradient(most([](const ConvolutionLayer &one) { return one.size(); })),
          below(most([](const ConvolutionLayer &one) { return one.size(); })),
          skipped(p.residual ? most([](const ConvolutionLayer &one) { return one.size(); }) : 0),
          columns(most([](const ConvolutionLayer &one) { return one.convolution.of_block(); })),
          w_transposed(std::max(
              most([](const ConvolutionLayer &one) { return (long)one.convolution.ld * padded(one.convolution.matrix.in); }),
              (long)padded(p.num_outputs) * last().ld)),
          room(2 * most([](const ConvolutionLayer &one) { return one.convolution.ld; })) {}

    template <class Size>
    long most(Size size) const {
        long found = 0;
        for (const ConvolutionLayer &one : layers) found = std::max(found, (long)size(one));
        return found;
    }

    // Examples in parts of one size, where statistics do not join them all.
    static Program part_of(Program p) {
        long largest = 1;
        for (int i = 0, side = p.side; i < p.depth; i++) {
            side = (side + p.strides[i] - 1) / p.strides[i];
            largest = std::max(largest, (long)side * side * padded(p.channels[i]));
        }
        long most = VALUES_OF_A_PART / largest;
        if (p.has(Norm::batch) || p.batch <= most) return p;
        for (long size = most; size > most / 4; size--)
            if (p.batch % size == 0) return p.batch = size, p;
        return p;
    }

    static std::vector<ConvolutionLayer> layers_of(const Program &p, const Layout &layout) {
        std::vector<ConvolutionLayer> found;
        found.reserve(p.depth);
        int side = p.side, ld = 0;
        for (int i = 0; i < p.depth; i++) {
            found.emplace_back(p, layout, i * (p.normalized() && p.affine ? 3 : 1), side, p.strides[i], ld);
            side = found.back().convolution.side, ld = found.back().convolution.ld;
        }
        return found;
    }

    const Convolution &last() const { return layers.back().convolution; }
    const Matrix &readout() const { return layout.matrices.back(); }
    Left features() { return {pooled.data(), last().ld, 1}; }
    bool opens_block(int layer) const { return p.residual && layer % 2 == 1; }
    bool closes_block(int layer) const { return p.residual && layer && layer % 2 == 0; }

    const Real *evaluate(const Real *row, const Real *inputs, Real *const *statistics) {
        is_evaluating = true;
        for (int from = 0; from < p.batch; from += part.batch) {
            first.copy(inputs + (long)from * p.num_inputs);
            forward(row, logits_from(from), statistics);
        }
        return logits.data();
    }

    Real pass(const Real *row, Real *found, const Batch &batch, Real *const *statistics) {
        Real total = 0;
        for (int from = 0; from < p.batch; from += part.batch) {
            if (batch.is_new || part.batch < p.batch) first.copy(batch.inputs + (long)from * p.num_inputs);
            Real *g = logits_from(from);
            forward(row, g, statistics);
            const Real *targets = batch.targets ? batch.targets + (long)from * p.num_outputs : nullptr;
            add_losses(p, part.batch, g, padded(p.num_outputs), batch.labels ? batch.labels + from : nullptr, targets, total);
            backward(row, g, found, from > 0, statistics);
        }
        return total / p.batch;
    }
    Real *logits_from(int example) { return logits.data() + (long)example * padded(p.num_outputs); }

    void forward(const Real *row, Real *outputs, Real *const *statistics) {
        for (int i = 0; i < p.depth; i++) forward(i, row, statistics);
        mean_of_rows(layers.back().y.data(), last().ld, part.batch, last().places, pooled.data());
        Start start = {false, row + readout().bias};
        product(outputs, readout().ld(), start, features(), row + readout().at, readout().ld(), part.batch, p.num_outputs,
                readout().in);
    }

    // From g, dL/d(outputs of a part); `found` may hold gradients of parts before.
    void backward(const Real *row, Real *g, Real *found, bool is_kept, Real *const *statistics) {
        parameters_backward(readout(), found, features(), g, part.batch, 1, 1, is_kept);
        input_backward(readout(), row, g, below.data(), ZERO, w_transposed.data(), part.batch);
        spread_to_rows(below.data(), last().ld, part.batch, last().places, gradient.data());
        for (int i = p.depth - 1; i >= 0; i--) backward(i, row, found, is_kept, statistics);
    }

    void forward(int layer, const Real *row, Real *const *statistics) {
        ConvolutionLayer &own = layers[layer];
        Real *y = own.y.data();
        layer ? own.convolution.forward(layers[layer - 1].y.data(), row, y, columns.data()) : first.forward(row, y);
        if (p.normalized()) normalize(layer, normalized(layer, row, statistics), y);
        if (closes_block(layer)) each_skip(layer, layers[layer - 2].y.data(), y, [](Real *before, Real *now, int number) {
            store_some(now, load_some(now, number) + load_some(before, number), number);
        });
        activate(p.activation, y, y, own.size());
    }

    void normalize(int layer, const Normalized &n, Real *y) {
        if (p.has(Norm::group)) return group_norm_of_images(n, layers[layer].convolution.places, room.data(), y);
        is_evaluating ? batch_norm_by_running(n, y) : batch_norm(n, y);
    }

    Normalized normalized(int layer, const Real *row, Real *const *statistics) {
        ConvolutionLayer &own = layers[layer];
        bool has_running = p.has(Norm::batch);
        return {own.own, own.convolution.ld, row + gamma(layer), row + beta(layer), own.x_hat.data(), own.inv_std.data(),
                has_running ? statistics[2 * layer] : nullptr, has_running ? statistics[2 * layer + 1] : nullptr, nullptr, nullptr};
    }
    long gamma(int layer) const { return p.affine ? layout.matrices[layers[layer].index_of_matrix + 1].at : 0; }
    long beta(int layer) const { return p.affine ? layout.matrices[layers[layer].index_of_matrix + 2].at : 0; }

    // `gradient` holds dL/d(output of the layer), and afterwards that of the layer below.
    void backward(int layer, const Real *row, Real *found, bool is_kept, Real *const *statistics) {
        ConvolutionLayer &own = layers[layer];
        Real *g = gradient.data();
        times_slope(p.activation, g, own.y.data(), own.size());
        if (closes_block(layer)) std::memcpy(skipped.data(), g, own.size() * sizeof(Real));
        if (p.normalized()) normalized_backward(layer, normalized(layer, row, statistics), g, found, is_kept);
        if (!layer) return first.parameters_backward(g, found, is_kept);
        own.convolution.parameters_backward(layers[layer - 1].y.data(), g, found, is_kept, columns.data());
        std::memset(below.data(), 0, layers[layer - 1].size() * sizeof(Real));
        if (opens_block(layer)) each_skip(layer + 1, below.data(), skipped.data(), [](Real *before, Real *now, int number) {
            store_some(before, load_some(now, number), number);
        });
        own.convolution.input_backward(row, g, below.data(), columns.data(), w_transposed.data());
        std::swap(gradient, below);
    }

    void normalized_backward(int layer, const Normalized &n, Real *g, Real *found, bool is_kept) {
        Real *of_gamma = found + gamma(layer), *of_beta = found + beta(layer);
        if (p.has(Norm::group))
            group_norm_of_images_backward(n, layers[layer].convolution.places, room.data(), g, of_gamma, of_beta, is_kept);
        else
            batch_norm_backward(n, g, of_gamma, of_beta);
    }

    // Call body(numbers before, numbers behind, how many) for what a block's end takes from its start.
    template <class Body>
    void each_skip(int end, Real *before, Real *behind, Body body) const {
        const Convolution &first = layers[end - 1].convolution, &second = layers[end].convolution;
        int side_in = first.side_in, half = (second.matrix.out - first.inputs) / 2;
        for (long b = 0; b < part.batch; b++)
            for (int i = 0; i < second.places; i++) {
                long place = (b * side_in + i / first.side * first.stride) * side_in + i % first.side * first.stride;
                Real *from = before + place * first.ld_in, *to = behind + (b * second.places + i) * second.ld + half;
                for (int c = 0; c < first.inputs; c += LANES) body(from + c, to + c, first.inputs - c);
            }
    }
};
