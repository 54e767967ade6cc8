// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Lines a second of `xinv translate --jsonl`, and whether its memory stays as it is: a page
 * unmapped, with a device TLB, on one platform after the other. Processor time is what compares;
 * elapsed time is this machine's, with whatever else runs on it.
 *
 *   jsonl TOOL [LINES]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void put_requests(FILE *f, unsigned long lines)
{
    static const char *const platforms[] = {"arm-smmuv3-ril", "intel-vtd-scalable",
                                            "amd-vi-generic"};

    for (unsigned long i = 0; i < lines; i++)
        fprintf(f,
                "{\"id\":%lu,\"platform\":\"%s\",\"attachments\":[{\"stage\":\"stage2\",\"rid\":"
                "\"0x310\",\"did\":5,\"vmid\":5,\"ats\":true}],\"change\":{\"what\":\"stage2_pte\","
                "\"first\":\"0x%lx000\",\"last\":\"0x%lxfff\",\"leaf_only\":true}}\n",
                i, platforms[i % 3], i, i);
}

/* The most memory that the process has had so far, in KiB; 0: it cannot be known. */
static unsigned long peak(pid_t pid)
{
    char path[64];
    char line[200];
    unsigned long kib = 0;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
    f = fopen(path, "r");
    while (f && !kib && fgets(line, sizeof(line), f))
        if (!strncmp(line, "VmHWM:", 6))
            kib = strtoul(line + 6, NULL, 10);
    if (f)
        fclose(f);
    return kib;
}

static pid_t start(const char *tool, FILE *requests, int *answers)
{
    int ends[2];
    pid_t pid;

    fflush(requests);
    if (lseek(fileno(requests), 0, SEEK_SET) || pipe(ends))
        return -1;
    pid = fork();
    if (!pid) {
        dup2(fileno(requests), 0);
        dup2(ends[1], 1);
        close(ends[0]);
        close(ends[1]);
        execl(tool, tool, "translate", "--jsonl", (char *)NULL);
        perror(tool);
        _exit(127);
    }
    close(ends[1]);
    *answers = ends[0];
    return pid;
}

int main(int argc, char **argv)
{
    unsigned long lines = argc > 2 ? strtoul(argv[2], NULL, 10) : 200000;
    FILE *requests = tmpfile();
    unsigned long early = 0;
    unsigned long late = 0;
    unsigned long answered = 0;
    struct rusage usage;
    double elapsed;
    double cpu;
    FILE *answers;
    int from;
    int status;
    pid_t pid;

    if (argc < 2 || !lines || !requests) {
        fprintf(stderr, "usage: jsonl TOOL [LINES]\n");
        return 2;
    }
    put_requests(requests, lines);
    elapsed = now();
    pid = start(argv[1], requests, &from);
    answers = pid > 0 ? fdopen(from, "r") : NULL;
    if (!answers)
        return 1;
    for (int c; (c = getc(answers)) != EOF;) {
        if (c != '\n')
            continue;
        answered++;
        if (answered == lines / 10)
            early = peak(pid);
        if (answered == lines / 10 * 9)
            late = peak(pid);
    }
    waitpid(pid, &status, 0);
    elapsed = now() - elapsed;
    getrusage(RUSAGE_CHILDREN, &usage);
    cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
          (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    printf("translate --jsonl: %lu lines, %.0f a second of processor time, %.0f elapsed; "
           "peak memory %lu KiB after a tenth, %lu KiB after nine\n",
           answered, (double)answered / cpu, (double)answered / elapsed, early, late);
    if (status || answered != lines || late > early + 128) {
        fprintf(stderr, "jsonl: %s\n",
                status || answered != lines ? "the tool failed" : "memory grew");
        return 1;
    }
    return 0;
}
