/* SPDX-License-Identifier: MIT */
/* command_environment.c: the account and the environment of a program: nothing of the runner's own gets
 * into it but what the configuration names. */
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command_impl.h"

int command_account(const struct command_def *def, struct program_account *out, struct error *e)
{
    errno = 0;
    const struct passwd *account = def->user ? getpwnam(def->user) : getpwuid(geteuid());
    if (!account && def->user)
        return errno ? error_errno(e, ERR_SYSTEM, "cannot look up the account %s", def->user)
                     : error_set(e, ERR_INVALID, "there is no account %s", def->user);
    *out = (struct program_account){
        .name = def->user && account->pw_uid != geteuid() ? def->user : NULL,
        .uid = account ? account->pw_uid : geteuid(),
        .gid = account ? account->pw_gid : getegid(),
        .home = xstrdup(account && account->pw_dir ? account->pw_dir : "/"),
    };
    return 0;
}

/* A list of NAME=value with one entry a name: many programs take the first, some the last. */
struct environment {
    char **items;
    size_t count;
    struct arena *arena;
};

static void put(struct environment *env, char *entry)
{
    size_t name = strcspn(entry, "=") + 1;
    for (size_t i = 0; i < env->count; i++)
        if (strncmp(env->items[i], entry, name) == 0) {
            env->items[i] = entry;
            return;
        }
    env->items[env->count++] = entry;
}

static void put_value(struct environment *env, const char *name, const char *value)
{
    if (value)
        put(env, arena_printf(env->arena, "%s=%s", name, value));
}

static void put_task(struct environment *env, const struct command_task *t)
{
    const struct run_task *task = run_task(t->run);
    put(env, arena_printf(env->arena, "BACKDESK_TASK_ID=%llu", (unsigned long long)task->id));
    put(env, arena_printf(env->arena, "BACKDESK_ATTEMPT=%u", task->attempt));
    put(env, arena_printf(env->arena, "BACKDESK_CREATED_BY=%lld", (long long)task->created_by));
    put_value(env, "BACKDESK_IDEMPOTENCY_KEY", t->key);
}

char *const *command_environment(const struct command_task *t, bool with_task, const char *output,
                                 const char *scratch)
{
    enum { OWN = 12 };
    const struct command_def *def = t->def;
    struct environment env = {.arena = run_arena(t->run)};
    env.items = arena_calloc(env.arena, OWN + def->env.count + def->pass_env.count + 1, sizeof *env.items);
    put_value(&env, "PATH", "/usr/local/bin:/usr/bin:/bin");
    put_value(&env, "LANG", "C.UTF-8");
    put_value(&env, "HOME", t->state->account.home);
    put_value(&env, "TMPDIR", scratch);
    for (size_t i = 0; i < def->pass_env.count; i++)
        put_value(&env, def->pass_env.items[i], getenv(def->pass_env.items[i]));
    for (size_t i = 0; i < def->env.count; i++)
        put(&env, arena_strdup(env.arena, def->env.items[i]));
    put_value(&env, "BACKDESK_TYPE", def->name);
    put_value(&env, "BACKDESK_OUTPUT_DIR", output);
    if (with_task)
        put_task(&env, t);
    return env.items;
}
