// What the library is told of points: the function and rule of each run, and where its numbers lie.
#pragma once

#include "eights.h"

#define FUNCTIONS(X) X(quadratic) X(moments) X(power) X(recurrence)
#define POINT_RULES(X) X(descent) X(adaptive_moments) X(expected)
#define AS_ENUM(word) word,
enum class Function { FUNCTIONS(AS_ENUM) };
enum class PointRule { POINT_RULES(AS_ENUM) };
#undef AS_ENUM

// Of each run: its function and its rule. Infinity and zero are off. `counts_noise`: the noise is part of the loss.
#define POINT_INTEGERS(X) X(function) X(rule) X(nesterov) X(decoupled) X(counts_noise) X(dimension) X(length)
#define POINT_DOUBLES(X) \
    X(exponent) X(start) X(target) X(momentum) X(weight_decay) X(eps) X(beta1) X(beta2) X(noise) \
    X(clip_value) X(clip_norm) X(clip_adaptive)
#define AS_INTEGER(name) int32_t name;
#define AS_DOUBLE(name) double name;
#define AS_EIGHT(name) W name;
struct Point {
    POINT_INTEGERS(AS_INTEGER)
    POINT_DOUBLES(AS_DOUBLE)
};
struct EightPoints {
    POINT_DOUBLES(AS_EIGHT)
};
#undef AS_INTEGER
#undef AS_DOUBLE
#undef AS_EIGHT

// What a call works on, of `num_rows` runs of which `num_runs` are advanced: x [rows, D]; `velocity` is the mean of Adam too,
// `square` is null without; `average` of the iterates, or null; h [D]; noise [seeds, updates, D] or null; seed_of_run [runs]; rates
// [updates, rows]; measured [NUM_MEASURED, updates, rows], `apart` numbers from one to the next.
#define POINT_POINTERS(X) \
    X(double *, x) X(double *, velocity) X(double *, square) X(double *, average) X(const double *, h) X(const double *, noise) \
    X(const int64_t *, seed_of_run) X(const double *, rates) X(double *, measured)
#define POINT_COUNTS(X) X(first_update) X(num_updates) X(num_runs) X(num_rows) X(apart)
struct PointCall {
#define AS_FIELD(type, name) type name;
    POINT_POINTERS(AS_FIELD)
#undef AS_FIELD
#define AS_FIELD(name) int64_t name;
    POINT_COUNTS(AS_FIELD)
#undef AS_FIELD
};
