/* A process that now and then maps, touches and unmaps: what it feels of whoever reads its mappings.

   Usage: paced MIB. It makes MIB resident in pages of the least size, says "ready", and for each line with a number of
   seconds that it reads, it maps 64 KiB, touches one page of it and unmaps it every 0.2 ms. Then it prints one line for
   each of mmap, touch and munmap: 50th, 99th, 99.9th percentile and the longest, in microseconds. Being paced, it meets
   a stall as often as there are moments of it; one that maps without a rest would make one call in a stall. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096
#define MAPPED 65536
#define MOST 1000000

enum { MAP, TOUCH, UNMAP, KINDS };
static double found[KINDS][MOST];

static double now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(int count, char **words) {
  if (count != 2) return 2;
  size_t size = strtoull(words[1], 0, 10) << 20;
  char *held = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (held == MAP_FAILED) return 1;
  madvise(held, size, MADV_NOHUGEPAGE);
  for (size_t at = 0; at < size; at += PAGE) held[at] = 1;
  prctl(PR_SET_TIMERSLACK, 1);
  puts("ready");
  fflush(stdout);
  for (double seconds; scanf("%lf", &seconds) == 1;) {
    size_t n = 0;
    for (double end_us = now_us() + seconds * 1e6; now_us() < end_us && n < MOST; n++) {
      double began_us = now_us();
      char *mapped = mmap(0, MAPPED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      double mapped_us = now_us();
      *(volatile char *)mapped = 1;
      double touched_us = now_us();
      munmap(mapped, MAPPED);
      double unmapped_us = now_us();
      found[MAP][n] = mapped_us - began_us;
      found[TOUCH][n] = touched_us - mapped_us;
      found[UNMAP][n] = unmapped_us - touched_us;
      usleep(200);
    }
    for (int kind = MAP; kind < KINDS; kind++) {
      qsort(found[kind], n, sizeof **found, compare);
      printf("%.2f %.2f %.2f %.2f ", found[kind][n / 2], found[kind][(size_t)(n * .99)], found[kind][(size_t)(n * .999)],
             found[kind][n - 1]);
    }
    puts("");
    fflush(stdout);
  }
}
