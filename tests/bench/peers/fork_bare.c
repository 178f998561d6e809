/* SPDX-License-Identifier: MIT */
/* fork_bare.c: how many programs a bare loop of fork, exec and wait starts, in so many processes. */
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

static unsigned long loop(const char *program, double end)
{
    unsigned long done = 0;
    for (; bench_now() < end; done++) {
        pid_t pid = fork();
        if (pid == 0) {
            execl(program, program, (char *)NULL);
            _exit(127);
        }
        int status;
        if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
            bench_die("%s cannot be run", program);
    }
    return done;
}

int main(int argc, char **argv)
{
    if (argc != 4)
        bench_die("usage: fork_bare PROGRAM PROCESSES SECONDS");
    int count = atoi(argv[2]), ends[2];
    double begin = bench_now(), end = begin + atof(argv[3]);
    if (pipe(ends))
        bench_die("pipe");
    for (int i = 0; i < count; i++)
        if (fork() == 0) {
            unsigned long done = loop(argv[1], end);
            _exit(write(ends[1], &done, sizeof done) != sizeof done);
        }
    unsigned long sum = 0, done;
    for (int i = 0; i < count; i++) {
        if (read(ends[0], &done, sizeof done) != sizeof done)
            bench_die("a process has failed");
        sum += done;
    }
    printf("%lu %.6f\n", sum, bench_now() - begin);
    return 0;
}
