// A 3x3 convolution over a batch of images, forward and backward.
//
// Images lie as rows of channels, [B * places, ld]. The nine neighbours of every place are gathered into a row of [9 C] numbers;
// the convolution is then a product, as a dense layer is. A block of places at a time, so that their columns stay in the second
// cache; sums go over places and taps in their order, whatever the blocks. `first_convolution.h` is that of a net's inputs.
#pragma once

#include "dense.h"

constexpr int TAPS = 9;
constexpr long COLUMNS_AT_ONCE = 1 << 14;  // numbers of a block
constexpr long COLUMNS_KEPT = 1 << 16;     // of a batch for the way back; more where channels fill no vectors and are slow to gather
constexpr int FEWEST_PLACES = 48;          // of a block: fewer would read the weights too often

// Neighbours of a place that lie side by side, in its row of columns and in the image. Outside of the image there are zeros.
struct Piece {
    int place, column, input;
    int number;
    static constexpr int OUTSIDE = -1;
    bool is_outside() const { return input == OUTSIDE; }
};

// Some places of some images: all places, or one image.
struct Block {
    long image;
    int images, place, places;
    int rows() const { return images * places; }
};

struct Convolution {
    const Matrix &matrix;
    int inputs, side_in, side, stride, ld_in, ld;  // of a net's first one ld_in is 0: see first_convolution.h
    int images, places;  // of an image
    long rows;
    int places_at_once, images_at_once;
    bool keeps;  // all columns for the way back
    std::vector<Piece> pieces;
    std::vector<int> first_of_place;  // where its pieces begin
    Memory kept;

    Convolution(int images, const Matrix &matrix, int side_in, int stride, int ld_in)
        : matrix(matrix),
          inputs(matrix.in / TAPS),
          side_in(side_in),
          side((side_in + stride - 1) / stride),
          stride(stride),
          ld_in(ld_in),
          ld(matrix.ld()),
          images(images),
          places(side * side),
          rows((long)images * places),
          places_at_once(std::min<long>(places, std::max<long>(FEWEST_PLACES, COLUMNS_AT_ONCE / matrix.in / 12 * 12))),
          images_at_once(places_at_once < places ? 1 : std::max<long>(1, COLUMNS_AT_ONCE / matrix.in / places)),
          keeps(ld_in && rows * matrix.in <= (ld_in == inputs ? COLUMNS_KEPT : 2 * COLUMNS_KEPT)),
          kept(keeps ? rows * matrix.in : 0) {
        for (int i = 0; i < places && ld_in; i++) {
            first_of_place.push_back(pieces.size());
            for (int tap = 0; tap < TAPS; tap += 3) add_pieces(i, tap);
        }
        first_of_place.push_back(pieces.size());
    }

    // Numbers of a block's columns, whose rows may be padded.
    long of_block() const { return ld_in == 0 ? 0 : (long)places_at_once * std::min(images_at_once, images) * padded(matrix.in); }

    // y = the convolution of x [B * places before, ld_in], started at the bias; `columns` is room for a block.
    void forward(const Real *x, const Real *row, Real *y, Real *columns) {
        Start start = matrix.bias >= 0 ? Start{false, row + matrix.bias} : ZERO;
        each_block([&](const Block &block, long first) {
            Left gathered = {gather(x, block, keeps ? kept.data() + first * matrix.in : columns), matrix.in, 1};
            product(y + first * ld, ld, start, gathered, row + matrix.at, ld, block.rows(), matrix.out, matrix.in);
        });
    }

    // dL/dW and dL/db from g = dL/dy, or these and what `found` holds.
    void parameters_backward(const Real *x, const Real *g, Real *found, bool is_kept, Real *columns) {
        if (matrix.bias >= 0) sum_rows(g, ld, rows, ld, found + matrix.bias, is_kept);
        each_block([&](const Block &block, long first) {
            Left turned = {keeps ? kept.data() + first * matrix.in : gather(x, block, columns), 1, matrix.in};
            product(found + matrix.at, ld, first || is_kept ? KEPT : ZERO, turned, g + first * ld, ld, matrix.in, matrix.out, block.rows());
        });
    }

    // Add dL/dx to `of_x`; `columns` is room for a block, `w_transposed` for W^T.
    void input_backward(const Real *row, const Real *g, Real *of_x, Real *columns, Real *w_transposed) const {
        int ld_of = padded(matrix.in);
        transpose(row + matrix.at, ld, w_transposed, ld_of, matrix.in, matrix.out);
        each_block([&](const Block &block, long first) {
            product(columns, ld_of, ZERO, {g + first * ld, ld, 1}, w_transposed, ld_of, block.rows(), matrix.in, matrix.out);
            scatter(columns, block, of_x);
        });
    }

    // Return `to`, with the columns of a block of x. Kept ones are zero outside from the start.
    Real *gather(const Real *x, const Block &block, Real *to) const {
        each_piece(block, matrix.in, [=](auto size, const Piece &piece, long column, long input) {
            if (piece.is_outside())
                for (int c = 0; c < piece.number; c += size) std::memset(to + column + c, 0, size * sizeof(Real));
            else
                for (int c = 0; c < piece.number; c += size) std::memcpy(to + column + c, x + input + c, size * sizeof(Real));
        });
        return to;
    }

private:
    void scatter(const Real *columns, const Block &block, Real *of_x) const {
        each_piece(block, padded(matrix.in), [=](auto size, const Piece &piece, long column, long input) {
            if (piece.is_outside()) return;
            for (int c = 0; c < piece.number; c += size) add<size()>(of_x + input + c, columns + column + c);
        });
    }

    template <int NUMBER>
    static inline void add(Real *to, const Real *from) {
        Real sum[NUMBER];
        for (int l = 0; l < NUMBER; l++) sum[l] = to[l] + from[l];
        std::memcpy(to, sum, sizeof sum);
    }

    template <class Body>
    void each_block(Body body) const {
        for (long image = 0; image < images; image += images_at_once)
            for (int place = 0; place < places; place += places_at_once) {
                int some = std::min<long>(images_at_once, images - image), rest = std::min(places_at_once, places - place);
                body(Block{image, some, place, rest}, image * places + place);
            }
    }

    // Call body(constant, piece, place among columns, place in x) for each piece in their order; the constant divides its number, so
    // that so many move at once.
    template <class Body>
    void each_piece(const Block &block, long of_row, Body body) const {
        long of_image = (long)side_in * side_in * ld_in;
        auto each = [&](auto size) {
            for (int k = first_of_place[block.place]; k < first_of_place[block.place + block.places]; k++) {
                const Piece piece = pieces[k];
                long column = (piece.place - block.place) * of_row + piece.column, x = block.image * of_image + piece.input;
                for (long b = 0; b < block.images; b++, column += block.places * of_row, x += of_image)
                    body(size, piece, column, x);
            }
        };
        if (inputs % 16 == 0) return each(std::integral_constant<int, 16>());
        if (inputs % 8 == 0) return each(std::integral_constant<int, 8>());
        each(std::integral_constant<int, 1>());
    }

    // The neighbours of a place in one row of the image.
    void add_pieces(int place, int tap) {
        int v = place / side * stride + tap / 3 - 1, left = place % side * stride - 1, column = tap * inputs;
        auto is_inside = [&](int h) { return v >= 0 && v < side_in && h >= 0 && h < side_in; };
        for (int h = left, next; h < left + 3; h = next) {
            next = h + 1;
            while (ld_in == inputs && next < left + 3 && is_inside(next) == is_inside(h)) next++;
            int number = (next - h) * inputs;
            int input = is_inside(h) ? (v * side_in + h) * ld_in : Piece::OUTSIDE;
            if (is_inside(h) || !keeps) pieces.push_back({place, column, input, number});
            column += number;
        }
    }
};
