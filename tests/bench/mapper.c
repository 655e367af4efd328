/* A process that measures its own mmap and munmap: the watched side of --latency.

   Usage: mapper MIB. It makes MIB resident in pages of the least size, says "ready", and for each line with a number of
   seconds that it reads, it maps and unmaps 64 KiB for so long without a rest. Then it prints one line of JSON: how many
   calls took how many nanoseconds, and by itself each call that was held up or took longer than MOST_COUNTED_NS. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <string.h>
#include <time.h>

#define PAGE 4096
#define MAPPED 65536
#define MOST_COUNTED_NS 65536
#define MOST_APART 200000

enum { RAN, WAITED, PREEMPTED };
static const char *const CLASSES[] = {"ran", "waited", "preempted"};

static uint32_t counts[MOST_COUNTED_NS];
static struct { uint64_t ns; int class; } apart[MOST_APART];
static size_t apart_count;
static struct rusage before;

static uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC_RAW, &now);
  return now.tv_sec * 1000000000ull + now.tv_nsec;
}

/* A thread that sleeps in a call, as for a lock, switches by its own will; one that loses the processor does not. */
static void note(uint64_t ns) {
  struct rusage after;
  getrusage(RUSAGE_THREAD, &after);
  int class = after.ru_nvcsw != before.ru_nvcsw ? WAITED : after.ru_nivcsw != before.ru_nivcsw ? PREEMPTED : RAN;
  before = after;
  if (class == RAN && ns < MOST_COUNTED_NS) {
    counts[ns]++;
  } else if (apart_count < MOST_APART) {
    apart[apart_count].ns = ns;
    apart[apart_count++].class = class;
  }
}

static void measure(uint64_t end_ns) {
  memset(counts, 0, sizeof counts);
  apart_count = 0;
  getrusage(RUSAGE_THREAD, &before);
  for (uint64_t began_ns; (began_ns = now_ns()) < end_ns;) {
    char *mapped = mmap(0, MAPPED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    note(now_ns() - began_ns);
    began_ns = now_ns();
    munmap(mapped, MAPPED);
    note(now_ns() - began_ns);
  }
}

static void print(void) {
  const char *comma = "";
  printf("{\"counts\": {");
  for (unsigned ns = 0; ns < MOST_COUNTED_NS; ns++)
    if (counts[ns]) {
      printf("%s\"%u\": %u", comma, ns, counts[ns]);
      comma = ", ";
    }
  printf("}");
  for (int class = RAN; class <= PREEMPTED; class++) {
    printf(", \"%s\": [", CLASSES[class]);
    comma = "";
    for (size_t at = 0; at < apart_count; at++)
      if (apart[at].class == class) {
        printf("%s%llu", comma, (unsigned long long)apart[at].ns);
        comma = ", ";
      }
    printf("]");
  }
  puts("}");
  fflush(stdout);
}

int main(int count, char **words) {
  if (count != 2) return 2;
  size_t size = strtoull(words[1], 0, 10) << 20;
  char *held = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (held == MAP_FAILED) return 1;
  madvise(held, size, MADV_NOHUGEPAGE);
  for (size_t at = 0; at < size; at += PAGE) held[at] = 1;
  puts("ready");
  fflush(stdout);
  for (double seconds; scanf("%lf", &seconds) == 1;) {
    measure(now_ns() + (uint64_t)(seconds * 1e9));
    print();
  }
}
