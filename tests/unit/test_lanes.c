/* SPDX-License-Identifier: MIT */
/* test_lanes.c: what a runner remembers of the queue: each case is a story of looks, bells and claims. */
#include "tasks/runner/lanes.h"
#include "unit.h"

static struct lane *lane_of(struct lanes *l, const char *type, int priority)
{
    for (size_t i = 0; i < l->count; i++)
        if (strcmp(l->items[i].type, type) == 0 && l->items[i].priority == priority)
            return &l->items[i];
    fail_msg("no lane %s %d", type, priority);
    return NULL;
}

enum step { LOOK, LOOK_EMPTY, BELL, CLAIMED, CLAIMED_ALL, END };

/* The one lane's floor and whether it waits, after each step. CLAIMED: up to (turn, id), and there is more. */
static const struct {
    const char *name;
    struct {
        enum step step;
        int64_t turn;
        uint64_t id;
        int64_t floor_turn;
        uint64_t floor_id;
        bool waiting;
    } steps[8];
} stories[] = {
    {"a look finds a lane", {{LOOK, 50, 0, 50, 0, true}, {END}}},
    {"a bell finds a lane", {{BELL, 50, 0, 50, 0, true}, {END}}},
    {"a claim moves the floor", {{LOOK, 50, 0, 50, 0, true}, {CLAIMED, 60, 3, 60, 3, true}, {END}}},
    {"a later look leaves it", {{LOOK, 50, 0, 50, 0, true}, {CLAIMED, 60, 3, 60, 3, true},
                                {LOOK, 70, 0, 60, 3, true}, {END}}},
    {"what lies below lowers it", {{LOOK, 50, 0, 50, 0, true}, {CLAIMED, 60, 3, 60, 3, true},
                                   {LOOK, 55, 0, 55, 0, true}, {END}}},
    {"a bell from below too", {{CLAIMED, 60, 3, 60, 3, true}, {BELL, 59, 0, 59, 0, true}, {END}}},
    {"an empty look ends the waiting", {{LOOK, 50, 0, 50, 0, true}, {LOOK_EMPTY, 0, 0, 50, 0, false}, {END}}},
    {"a dry lane keeps its floor", {{CLAIMED_ALL, 60, 3, 60, 3, false}, {BELL, 80, 0, 60, 3, true}, {END}}},
    {"a late commit of the very turn", {{CLAIMED_ALL, 60, 3, 60, 3, false}, {LOOK, 60, 0, 60, 0, true}, {END}}},
    {"a turn that many share is gone through", {{CLAIMED, 60, 3, 60, 3, true}, {LOOK, 60, 0, 60, 3, true},
                                                {BELL, 60, 0, 60, 3, true}, {END}}},
    {"turns before 1970", {{LOOK, -5, 0, -5, 0, true}, {LOOK, -9, 0, -9, 0, true}, {END}}},
};

static void test_stories(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(stories); i++) {
        struct lanes l = {0};
        for (size_t s = 0; stories[i].steps[s].step != END; s++) {
            struct lane_head head = {"t", 5, stories[i].steps[s].turn};
            switch (stories[i].steps[s].step) {
            case LOOK:
                lanes_look(&l, &head, 1);
                break;
            case LOOK_EMPTY:
                lanes_look(&l, NULL, 0);
                break;
            case BELL:
                lanes_note(&l, "t", 5, head.turn);
                break;
            default:
                if (!l.count)
                    lanes_note(&l, "t", 5, 0);
                l.items[0].floor = (struct lane_floor){head.turn, stories[i].steps[s].id};
                l.items[0].waiting = stories[i].steps[s].step == CLAIMED;
                break;
            }
            const struct lane *lane = lane_of(&l, "t", 5);
            CHECK_CASE(i, stories[i].name, lane->floor.turn == stories[i].steps[s].floor_turn);
            CHECK_CASE(i, stories[i].name, lane->floor.id == stories[i].steps[s].floor_id);
            CHECK_CASE(i, stories[i].name, lane->waiting == stories[i].steps[s].waiting);
        }
        lanes_free(&l);
    }
}

static void test_order(void **state)
{
    (void)state;
    struct lanes l = {0};
    static const struct {
        const char *type;
        int priority;
        int64_t turn;
    } given[] = {{"c", 5, 10}, {"a", 0, 1}, {"b", 9, 99}, {"b", 5, 9}, {"a", 5, 10}, {"b", 5, -3}};
    for (size_t i = 0; i < COUNT_OF(given); i++)
        lanes_note(&l, given[i].type, given[i].priority, given[i].turn);
    assert_int_equal(l.count, 5); /* the last one was there already */
    lanes_sort(&l);
    static const char *const types[] = {"b", "b", "a", "c", "a"};
    static const int priorities[] = {9, 5, 5, 5, 0};
    for (size_t i = 0; i < l.count; i++) {
        CHECK_CASE_TEXT(i, "order", l.items[i].type, types[i]);
        CHECK_CASE(i, "order", l.items[i].priority == priorities[i]);
    }
    lanes_free(&l);
    lanes_sort(&l);
    assert_int_equal(l.count, 0);
}

/* The lane stands at (50, 7) and waits; a claim moves the copy's floor, notes come meanwhile. */
static const struct {
    const char *name;
    struct lane_floor claimed;
    bool more;
    int64_t notes[2]; /* 0 = none */
    struct lane_floor floor;
    bool waiting;
} turns[] = {
    {"nothing comes meanwhile", {60, 3}, true, {0}, {60, 3}, true},
    {"it runs dry", {60, 3}, false, {0}, {60, 3}, false},
    {"it runs dry, and more comes behind", {60, 3}, false, {80}, {60, 3}, true},
    {"it runs dry at the very turn", {60, 3}, false, {60}, {60, 0}, true},
    {"what comes stands before the new floor", {60, 3}, false, {55}, {55, 0}, true},
    {"the first of those that come counts", {60, 3}, true, {55, 80}, {55, 0}, true},
    {"in whatever order", {60, 3}, true, {80, 55}, {55, 0}, true},
    {"before the old floor, too", {60, 3}, true, {40}, {40, 0}, true},
    {"a shared turn is gone through", {60, 3}, true, {60}, {60, 3}, true},
};

static void test_what_comes_during_a_claim_is_not_forgotten(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(turns); i++) {
        struct lanes l = {0};
        struct arena *arena = arena_create();
        lanes_note(&l, "t", 5, 50); /* before the copy: counts for nothing afterwards */
        l.items[0].floor.id = 7;
        struct lanes copy = lanes_copy(&l, arena);
        copy.items[0].floor = turns[i].claimed;
        copy.items[0].waiting = turns[i].more;
        for (size_t n = 0; n < 2 && turns[i].notes[n]; n++)
            lanes_note(&l, "t", 5, turns[i].notes[n]);
        lanes_note(&l, "new", 5, 1);
        lanes_take_over(&l, &copy);
        CHECK_CASE(i, turns[i].name, lane_of(&l, "t", 5)->floor.turn == turns[i].floor.turn);
        CHECK_CASE(i, turns[i].name, lane_of(&l, "t", 5)->floor.id == turns[i].floor.id);
        CHECK_CASE(i, turns[i].name, lane_of(&l, "t", 5)->waiting == turns[i].waiting);
        CHECK_CASE(i, turns[i].name, l.count == 2 && lane_of(&l, "new", 5)->waiting);
        arena_destroy(&arena);
        lanes_free(&l);
    }
}

static void test_a_look_is_the_whole_truth(void **state)
{
    (void)state;
    struct lanes l = {0};
    for (int i = 0; i < 40; i++) { /* more than fit at first */
        char type[8];
        snprintf(type, sizeof type, "t%d", i);
        lanes_note(&l, type, i % 10, i);
    }
    const struct lane_head heads[] = {{"t7", 7, 3}, {"t8", 9, 4}, {"new", 1, 5}};
    lanes_look(&l, heads, COUNT_OF(heads));
    size_t waiting = 0;
    for (size_t i = 0; i < l.count; i++)
        waiting += l.items[i].waiting;
    assert_int_equal(waiting, 3);
    assert_int_equal(l.count, 42);
    assert_true(lane_of(&l, "t7", 7)->waiting);
    assert_false(lane_of(&l, "t8", 8)->waiting);
    lanes_free(&l);
}

static void test_a_name_that_is_too_long_is_cut(void **state)
{
    (void)state;
    struct lanes l = {0};
    char name[100];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    lanes_note(&l, name, 5, 1);
    assert_int_equal(strlen(l.items[0].type), 64);
    lanes_free(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stories),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_what_comes_during_a_claim_is_not_forgotten),
        cmocka_unit_test(test_a_look_is_the_whole_truth),
        cmocka_unit_test(test_a_name_that_is_too_long_is_cut),
    };
    return cmocka_run_group_tests_name("lanes", tests, NULL, NULL);
}
