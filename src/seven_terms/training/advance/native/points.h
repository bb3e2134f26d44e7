// Updates of points: functions that are given by a formula (`seven_terms.tasks.quadratic`, `point_functions`), in double precision.
//
// Small points are advanced eight runs side by side, large ones one after the other, eight of their numbers at a time.
#pragma once

#include <vector>

#include "point_updates.h"

// Whether two runs take the same turns everywhere, so that they may lie side by side.
static bool are_alike(const Point &a, const Point &b) {
    bool alike = (a.weight_decay != 0) == (b.weight_decay != 0);
#define SAME(name) alike &= a.name == b.name;
    POINT_INTEGERS(SAME)
    SAME(exponent)
#undef SAME
#define SAME(name) alike &= (a.name < INFINITY) == (b.name < INFINITY);
    SAME(clip_value) SAME(clip_norm) SAME(clip_adaptive)
#undef SAME
    return alike;
}

static void advance_side_by_side(const Point *points, const PointCall &call) {
    std::vector<char> is_done(call.num_runs);
    for (long first = 0; first < call.num_runs; first++) {
        if (is_done[first]) continue;
        long runs[8], found = 0;
        for (long run = first; run < call.num_runs && found < 8; run++)
            if (!is_done[run] && are_alike(points[first], points[run])) is_done[runs[found++] = run] = 1;
        if (points->dimension == 1) PointRuns<Form::across, 1>(points, call, runs, found).advance();
        else PointRuns<Form::across>(points, call, runs, found).advance();
    }
}

// Make updates of the first `num_runs` runs in place.
static void advance_points(const Point *points, const PointCall &call) {
    Function function = (Function)points->function;
    bool is_called = function == Function::power || function == Function::recurrence;  // the C library, number by number
    if (is_called || points->dimension <= MOST_SIDE_BY_SIDE) return advance_side_by_side(points, call);
    for (long run = 0; run < call.num_runs; run++) PointRuns<Form::along>(points, call, &run, 1).advance();
}
