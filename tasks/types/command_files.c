/* SPDX-License-Identifier: MIT */
/* command_files.c: a program's directory, and how what it has left in there becomes the task's files. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/utf8.h"
#include "command_impl.h"
#include "task/command.h"

enum { EXTENSION_MAX = 12 };

int command_make_directory(struct command_task *t, struct work_dir *dir)
{
    const struct run_task *task = run_task(t->run);
    const struct program_account *a = &t->state->account;
    struct error e = {0};
    if (work_dir_create(&t->state->place, task->id, task->fence, dir, &e))
        return run_fail(t->outcome, RUN_FAILED, "storage_failed", "%s", e.text);
    if (a->name && fchownat(t->state->place.tmp, dir->name, a->uid, a->gid, AT_SYMLINK_NOFOLLOW))
        return run_fail(t->outcome, RUN_FAILED, "storage_failed",
                        "the program's directory cannot be given to its account: %s", strerror(errno));
    return 0;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* At most MAX names, sorted; returns how many there are in all, at most one more. Names that begin with a
 * dot are the program's own affair. */
static size_t list_names(DIR *list, struct arena *arena, const char **out, size_t max)
{
    struct dirent *entry;
    size_t n = 0;
    while (n <= max && (entry = readdir(list))) {
        if (entry->d_name[0] == '.')
            continue;
        if (n < max)
            out[n] = arena_strdup(arena, entry->d_name);
        n++;
    }
    if (n && n <= max)
        qsort(out, n, sizeof *out, compare_names);
    return n;
}

/* "png" of "Page 1.PNG"; "bin" where there is none that may stand in a path. */
static void extension(const char *name, char out[EXTENSION_MAX + 1])
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    const char *dot = strrchr(name, '.');
    size_t len = 0;
    for (const char *p = dot ? dot + 1 : ""; *p && len <= EXTENSION_MAX; p++, len++) {
        char c = *p >= 'A' && *p <= 'Z' ? (char)(*p + ('a' - 'A')) : *p;
        if (len == EXTENSION_MAX || !strchr(letters, c)) {
            len = 0;
            break;
        }
        out[len] = c;
    }
    out[len] = '\0';
    if (!len)
        memcpy(out, "bin", sizeof "bin");
}

/* NAME as the database takes it: bytes that are not UTF-8 become '_'. */
static const char *clean_name(struct arena *arena, const char *name)
{
    char *copy = arena_strdup(arena, name);
    size_t len = strlen(copy), at = 0;
    while ((at += utf8_valid_prefix(copy + at, len - at)) < len)
        copy[at] = '_';
    return copy;
}

static bool refuse(struct command_task *t, const char *name, const struct error *e)
{
    if (e->code == ERR_INVALID)
        run_fail(t->outcome, RUN_FAILED_FINAL, "invalid_file", "the output file \"%.200s\" is refused: %s",
                 name, e->text);
    else
        run_fail(t->outcome, RUN_FAILED, "storage_failed", "%s", e->text);
    return false;
}

static bool take_file(struct command_task *t, int fd, const char *name, bool sealed)
{
    const struct run_task *task = run_task(t->run);
    const struct result_place place = result_place_of(&run_settings(t->run)->files);
    char ext[EXTENSION_MAX + 1];
    struct result_file *file = NULL;
    struct error e = {0};
    extension(name, ext);
    int rc = result_file_create(&place, task->id, task->fence, ext, &file, &e);
    if (!rc)
        rc = result_file_adopt(file, fd, name, sealed, &e);
    if (!rc) {
        result_file_name(file, clean_name(run_arena(t->run), name), ext);
        rc = result_file_finish(file, RESULT_NO_ROWS, &e);
    }
    if (rc) {
        result_file_discard(&file);
        return refuse(t, clean_name(run_arena(t->run), name), &e);
    }
    t->outcome->files[t->outcome->file_count++] = file;
    return true;
}

bool command_take_files(struct command_task *t, int fd, bool sealed)
{
    const char *names[RUN_FILES_MAX];
    size_t max = (size_t)command_max_files(t->def), count;
    DIR *list = fdopendir(fd);
    bool good = true;
    if (!list) {
        close(fd);
        run_fail(t->outcome, RUN_FAILED, "storage_failed", "the output directory cannot be read: %s",
                 strerror(errno));
        return false;
    }
    count = list_names(list, run_arena(t->run), names, max);
    if (count > max) {
        run_fail(t->outcome, RUN_FAILED_FINAL, "too_many_files",
                 "there are more than %zu files in the output directory", max);
        good = false;
    }
    for (size_t i = 0; good && i < count; i++)
        good = take_file(t, dirfd(list), names[i], sealed);
    closedir(list);
    return good;
}
