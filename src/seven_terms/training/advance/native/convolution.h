// Forward and backward pass of a small convolutional network (`seven_terms.models.convolutional`, `Cnn`) on one batch.
//
// Images lie as rows of channels, [B * places, ld]. A 3x3 convolution gathers the nine neighbours of every place into a row of
// [9 C] numbers and is then a product, as a dense layer is; batch norm takes its statistics over the rows.
#pragma once

#include "dense.h"

constexpr int TAPS = 9;

// Where a neighbour inside the image lies: among the columns of an image, among their gradients, among the inputs of an image.
struct Neighbour {
    int column, of_column, input;
};

struct Convolution {
    const Matrix &matrix;
    int inputs, side_in, side, stride, ld_in, ld;
    long rows;
    Program own;  // what its normalization sees: rows in place of examples, channels in place of units
    std::vector<Neighbour> neighbours;  // by place and tap
    Memory columns, y, x_hat, inv_std;  // columns of neighbours outside stay zero

    Convolution(const Program &p, const Matrix &matrix, int side_in, int stride, int ld_in)
        : matrix(matrix),
          inputs(matrix.in / TAPS),
          side_in(side_in),
          side((side_in + stride - 1) / stride),
          stride(stride),
          ld_in(ld_in),
          ld(matrix.ld()),
          rows((long)p.batch * side * side),
          own(p),
          neighbours(inside()),
          columns(rows * matrix.in),
          y(rows * ld),
          x_hat(p.normalized() ? rows * ld : 0),
          inv_std(p.normalized() ? rows * ld : 0) {
        own.batch = rows, own.width = matrix.out, own.ghost = p.ghost * side * side;
    }

    Left gathered() { return {columns.data(), matrix.in, 1}; }

    std::vector<Neighbour> inside() const {
        std::vector<Neighbour> found;
        for (int i = 0; i < side * side; i++)
            for (int tap = 0; tap < TAPS; tap++) {
                int v = i / side * stride + tap / 3 - 1, h = i % side * stride + tap % 3 - 1, at = tap * inputs;
                if (v >= 0 && v < side_in && h >= 0 && h < side_in)
                    found.push_back({i * matrix.in + at, i * padded(matrix.in) + at, (v * side_in + h) * ld_in});
            }
        return found;
    }

    // Call body(constant, image, neighbour) in their order; the constant divides `inputs`, so that so many numbers move at once.
    template <class Body>
    void each_neighbour(Body body) const {
        auto each = [&](auto piece) {
            for (long b = 0; b < rows / (side * side); b++)
                for (const Neighbour &one : neighbours) body(piece, b, one);
        };
        if (inputs % 16 == 0) return each(std::integral_constant<int, 16>());
        if (inputs % 8 == 0) return each(std::integral_constant<int, 8>());
        each(std::integral_constant<int, 1>());
    }

    // From x [B * places before, ld_in] to `columns`.
    void gather(const Real *x) {
        long of_image = (long)side_in * side_in * ld_in, of_columns = (long)side * side * matrix.in;
        Real *to = columns.data();
        each_neighbour([=, inputs = inputs](auto piece, long b, const Neighbour &one) {
            for (int c = 0; c < inputs; c += piece)
                std::memcpy(to + b * of_columns + one.column + c, x + b * of_image + one.input + c, piece * sizeof(Real));
        });
    }

    // Add dL/dcolumns [rows, padded(9 C)] to dL/dx [B * places before, ld_in], which is zero at first.
    void scatter(const Real *g, Real *of_x) const {
        long of_image = (long)side_in * side_in * ld_in, of_columns = (long)side * side * padded(matrix.in);
        each_neighbour([=, inputs = inputs](auto piece, long b, const Neighbour &one) {
            for (int c = 0; c < inputs; c += piece)
                add<piece()>(of_x + b * of_image + one.input + c, g + b * of_columns + one.of_column + c);
        });
    }

    template <int NUMBER>
    static inline void add(Real *to, const Real *from) {
        Real sum[NUMBER];
        for (int l = 0; l < NUMBER; l++) sum[l] = to[l] + from[l];
        std::memcpy(to, sum, sizeof sum);
    }
};

struct ConvolutionNet {
    const Program &p;
    const Layout &layout;
    std::vector<Convolution> layers;
    int image_channels;
    long largest;
    Memory images, pooled, logits, gradient, below, of_columns, w_transposed;
    bool is_evaluating = false;

    ConvolutionNet(const Program &p, const Layout &layout)
        : p(p),
          layout(layout),
          layers(layers_of(p, layout)),
          image_channels(layers[0].inputs),
          largest(most([](const Convolution &one) { return one.rows * one.ld; })),
          images((long)p.batch * p.num_inputs),
          pooled((long)p.batch * layers.back().ld),
          logits((long)p.batch * padded(p.num_outputs)),
          gradient(largest),
          below(largest),
          of_columns(most([](const Convolution &one) { return one.rows * padded(one.matrix.in); })),
          w_transposed(std::max(
              most([](const Convolution &one) { return (long)one.ld * padded(one.matrix.in); }),
              (long)padded(p.num_outputs) * layers.back().ld)) {}

    template <class Size>
    long most(Size size) const {
        long found = 0;
        for (const Convolution &one : layers) found = std::max(found, (long)size(one));
        return found;
    }

    static std::vector<Convolution> layers_of(const Program &p, const Layout &layout) {
        std::vector<Convolution> found;
        found.reserve(p.depth);
        int side = p.side, ld = p.num_inputs / (side * side);
        for (int i = 0; i < p.depth; i++) {
            found.emplace_back(p, layout.matrices[i * (p.normalized() && p.affine ? 3 : 1)], side, p.strides[i], ld);
            side = found.back().side, ld = found.back().ld;
        }
        return found;
    }

    const Matrix &readout() const { return layout.matrices.back(); }
    int places() const { return layers.back().side * layers.back().side; }
    Left features() { return {pooled.data(), layers.back().ld, 1}; }

    const Real *evaluate(const Real *row, const Real *inputs, Real *const *statistics) {
        is_evaluating = true;
        gather(inputs);
        forward(row, statistics);
        return logits.data();
    }

    Real pass(const Real *row, Real *found, const Batch &batch, Real *const *statistics) {
        if (batch.is_new) gather(batch.inputs);
        forward(row, statistics);
        Real loss = loss_backward(p, logits.data(), padded(p.num_outputs), batch.labels, batch.targets);
        parameters_backward(readout(), found, features(), logits.data(), p.batch);
        input_backward(readout(), row, logits.data(), below.data(), ZERO, w_transposed.data(), p.batch);
        spread_to_rows(below.data(), layers.back().ld, p.batch, places(), gradient.data());
        for (int i = p.depth - 1; i >= 0; i--) backward(i, row, found, statistics);
        return loss;
    }

    // The columns of the first layer, from inputs [B, C, places]: kept while updates see the same batch.
    void gather(const Real *inputs) {
        long side = (long)p.side * p.side;
        const Real *x = image_channels == 1 ? inputs : images.data();
        for (int b = 0; b < p.batch && image_channels > 1; b++)  // to [B, places, C]
            for (int c = 0; c < image_channels; c++)
                for (long i = 0; i < side; i++)
                    images.data()[(b * side + i) * image_channels + c] = inputs[(b * image_channels + c) * side + i];
        layers[0].gather(x);
    }

    void forward(const Real *row, Real *const *statistics) {
        for (int i = 0; i < p.depth; i++) forward(i, row, statistics);
        mean_of_rows(layers.back().y.data(), layers.back().ld, p.batch, places(), pooled.data());
        Start start = {false, row + readout().bias};
        product(logits.data(), readout().ld(), start, features(), row + readout().at, readout().ld(), p.batch, p.num_outputs,
                readout().in);
    }

    void forward(int layer, const Real *row, Real *const *statistics) {
        Convolution &own = layers[layer];
        const Matrix &m = own.matrix;
        if (layer) own.gather(layers[layer - 1].y.data());
        Start start = m.bias >= 0 ? Start{false, row + m.bias} : ZERO;
        product(own.y.data(), own.ld, start, own.gathered(), row + m.at, own.ld, own.rows, m.out, m.in);
        if (p.normalized()) {
            Normalized n = normalized(layer, row, statistics);
            is_evaluating ? batch_norm_by_running(n, own.y.data()) : batch_norm(n, own.y.data());
        }
        activate(p.activation, own.y.data(), own.y.data(), own.rows * own.ld);
    }

    Normalized normalized(int layer, const Real *row, Real *const *statistics) {
        Convolution &own = layers[layer];
        return {own.own, own.ld, row + gamma(layer), row + beta(layer), own.x_hat.data(), own.inv_std.data(),
                statistics[2 * layer], statistics[2 * layer + 1], nullptr, nullptr};
    }
    long gamma(int layer) const { return p.affine ? layout.matrices[3 * layer + 1].at : 0; }
    long beta(int layer) const { return p.affine ? layout.matrices[3 * layer + 2].at : 0; }

    // `gradient` holds dL/d(output of the layer), and afterwards that of the layer below.
    void backward(int layer, const Real *row, Real *found, Real *const *statistics) {
        Convolution &own = layers[layer];
        Real *g = gradient.data();
        times_slope(p.activation, g, own.y.data(), own.rows * own.ld);
        if (p.normalized())
            batch_norm_backward(normalized(layer, row, statistics), g, found + gamma(layer), found + beta(layer));
        parameters_backward(own.matrix, found, own.gathered(), g, own.rows);
        if (!layer) return;
        input_backward(own.matrix, row, g, of_columns.data(), ZERO, w_transposed.data(), own.rows);
        std::memset(below.data(), 0, layers[layer - 1].rows * layers[layer - 1].ld * sizeof(Real));
        own.scatter(of_columns.data(), below.data());
        std::swap(gradient, below);
    }
};
