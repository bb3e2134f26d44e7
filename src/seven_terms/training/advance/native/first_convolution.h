// The first convolution of a net, over its inputs [B, C, side, side]: they are copied once, with zeros around them, and read where
// they lie.
//
// Images have few channels: to gather neighbours would cost more than the product.
#pragma once

#include "convolution.h"

struct FirstConvolution {
    static constexpr int ROWS_AT_ONCE = 1024;

    const Convolution &of;
    int side;  // of a plane with its zeros
    long of_image;
    int images_at_once;
    Memory planes;
    std::vector<int> row, column;  // where the first neighbour of a place lies, for some images; and a tap of a channel from there

    explicit FirstConvolution(const Convolution &of)
        : of(of),
          side(of.side_in + 2),
          of_image((long)of.inputs * side * side),
          images_at_once(std::min(of.images, std::max(1, ROWS_AT_ONCE / of.places))),
          planes(of.images * of_image) {
        for (int b = 0; b < images_at_once; b++)
            for (int i = 0; i < of.places; i++)
                row.push_back(b * of_image + (i / of.side * side + i % of.side) * of.stride);
        for (int tap = 0; tap < TAPS; tap++)
            for (int c = 0; c < of.inputs; c++) column.push_back(c * side * side + tap / 3 * side + tap % 3);
    }

    void copy(const Real *inputs) {
        Real *to = planes.data() + side + 1;
        for (long plane = 0; plane < (long)of.images * of.inputs; plane++, to += 2 * side)
            for (int v = 0; v < of.side_in; v++, inputs += of.side_in, to += side) copy_some(inputs, to, of.side_in);
    }

    void forward(const Real *parameters, Real *y) {
        const Matrix &m = of.matrix;
        Start start = m.bias >= 0 ? Start{false, parameters + m.bias} : ZERO;
        each_block([&](Scattered x, long first, int rows) {
            product(y + first * of.ld, of.ld, start, x, parameters + m.at, of.ld, rows, m.out, m.in);
        });
    }

    // dL/dW and dL/db from g = dL/dy, or these and what `found` holds.
    void parameters_backward(const Real *g, Real *found, bool is_kept) {
        const Matrix &m = of.matrix;
        if (m.bias >= 0) sum_rows(g, of.ld, of.rows, of.ld, found + m.bias, is_kept);
        each_block([&](Scattered x, long first, int rows) {
            product(found + m.at, of.ld, first || is_kept ? KEPT : ZERO, x.turned(), g + first * of.ld, of.ld, m.in, m.out, rows);
        });
    }

private:
    template <class Body>
    void each_block(Body body) {
        for (long image = 0; image < of.images; image += images_at_once) {
            Scattered x = {planes.data() + image * of_image, row.data(), column.data()};
            body(x, image * of.places, std::min<long>(images_at_once, of.images - image) * of.places);
        }
    }

    static void copy_some(const Real *from, Real *to, int number) {
        int i = 0;
        for (; i + 4 <= number; i += 4) std::memcpy(to + i, from + i, 4 * sizeof(Real));
        for (; i < number; i++) to[i] = from[i];
    }
};
