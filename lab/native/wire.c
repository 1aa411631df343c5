// An impairing wire between two interfaces of its network namespace: takes every frame off one and puts it on the other, IPv4 UDP
// late, twice, out of turn or not at all. Everything else (ARP, ICMP) passes at once. For kernels without netem, and with decisions
// that depend on nothing but the seed and a datagram's number in its direction.
//
//   wire IF_A IF_B [KEY=VALUE ...]
//     loss= dup= reorder=        probabilities of 0 to 1; what is reordered passes without any delay
//     delay= jitter=             ms; the delay is drawn evenly from delay - jitter to delay + jitter
//     burst= burstend=           Gilbert-Elliott: probability a datagram that a burst of loss begins, and that it ends
//     rate= queue=               bytes a second (0: no limit), and datagrams that may wait in the wire; more are dropped
//     seed=                      begins the streams of random numbers anew
//
// Each line on stdin is more KEY=VALUEs, or "stats"; both are answered with the counters as a line of JSON. Ends with stdin.
// The senders' checksum offload has to be off, for what is read here has not been through a network card.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FRAME_MAX 65600
#define BATCH 64

static struct {
  double loss, dup, reorder, delay, jitter, burst, burstend, rate, queue, seed;
} set = {.queue = 20000, .burstend = 1, .seed = 1};

static const struct {
  const char *name;
  double *value;
} KEYS[] = {{"loss", &set.loss},   {"dup", &set.dup},           {"reorder", &set.reorder}, {"delay", &set.delay}, {"jitter", &set.jitter},
            {"burst", &set.burst}, {"burstend", &set.burstend}, {"rate", &set.rate},       {"queue", &set.queue}, {"seed", &set.seed}};

typedef struct {
  uint64_t random; // state of this direction's stream
  int in_burst;
  double free_at; // when the last byte of what was let in has left
  uint64_t seen, lost, duplicated, reordered, sent, overflowed;
} Direction;
static Direction directions[2];
static int sockets[2];

static double now_s(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

// splitmix64, as a number of [0, 1).
static double draw(Direction *d) {
  uint64_t z = (d->random += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

static void reseed(void) {
  for (int i = 0; i < 2; i++) {
    directions[i].random = (uint64_t)set.seed * 2654435761u + (uint64_t)i * 0x1000003u;
    directions[i].in_burst = 0;
  }
}

// What waits, as a binary heap by (due, order).
typedef struct {
  double due;
  uint64_t order;
  int out, size;
  unsigned char *frame;
} Waiting;
static Waiting *heap;
static size_t count, room;
static uint64_t order;

static int before(const Waiting *a, const Waiting *b) { return a->due < b->due || (a->due == b->due && a->order < b->order); }

static void push(Waiting item) {
  if (count == room) {
    room = room ? room * 2 : 1024;
    heap = realloc(heap, room * sizeof *heap);
    if (!heap) exit(1);
  }
  size_t at = count++;
  for (; at > 0 && before(&item, &heap[(at - 1) / 2]); at = (at - 1) / 2) heap[at] = heap[(at - 1) / 2];
  heap[at] = item;
}

static Waiting pop(void) {
  Waiting top = heap[0], last = heap[--count];
  size_t at = 0;
  for (;;) {
    size_t child = 2 * at + 1;
    if (child >= count) break;
    if (child + 1 < count && before(&heap[child + 1], &heap[child])) child++;
    if (!before(&heap[child], &last)) break;
    heap[at] = heap[child];
    at = child;
  }
  heap[at] = last;
  return top;
}

static void put_on(int out, const unsigned char *frame, int size, Direction *d) {
  if (send(sockets[out], frame, (size_t)size, 0) >= 0) d->sent++;
  else d->overflowed++;
}

static void let_in(int side, const unsigned char *frame, int size, double delay_s, double now) {
  Direction *d = &directions[side];
  if (count >= (size_t)set.queue) {
    d->overflowed++;
    return;
  }
  double due = now + delay_s;
  if (set.rate > 0) {
    d->free_at = (d->free_at > now ? d->free_at : now) + size / set.rate;
    due += d->free_at - now;
  }
  unsigned char *copy = malloc((size_t)size);
  if (!copy) exit(1);
  memcpy(copy, frame, (size_t)size);
  push((Waiting){due, order++, 1 - side, size, copy});
}

// Always the same number of draws, so that a datagram's fate depends on its number alone.
static void impair(int side, const unsigned char *frame, int size, double now) {
  Direction *d = &directions[side];
  double burst = draw(d), loss = draw(d), dup = draw(d), late = draw(d), late_copy = draw(d), turn = draw(d);
  d->seen++;
  d->in_burst = d->in_burst ? burst >= set.burstend : burst < set.burst;
  if (d->in_burst || loss < set.loss) {
    d->lost++;
    return;
  }
  double delay = (set.delay + (2 * late - 1) * set.jitter) / 1e3, delay_copy = (set.delay + (2 * late_copy - 1) * set.jitter) / 1e3;
  if (turn < set.reorder) {
    d->reordered++;
    delay = 0;
  }
  let_in(side, frame, size, delay > 0 ? delay : 0, now);
  if (dup < set.dup) {
    d->duplicated++;
    let_in(side, frame, size, delay_copy > 0 ? delay_copy : 0, now);
  }
}

static void take(int side) {
  static unsigned char frame[FRAME_MAX];
  for (int i = 0; i < BATCH; i++) {
    struct sockaddr_ll from;
    socklen_t from_size = sizeof from;
    ssize_t size = recvfrom(sockets[side], frame, sizeof frame, MSG_DONTWAIT, (struct sockaddr *)&from, &from_size);
    if (size < 0) return;
    if (from.sll_pkttype == PACKET_OUTGOING) continue;
    int is_udp = size > 34 && frame[12] == 8 && frame[13] == 0 && frame[23] == 17;
    if (is_udp) impair(side, frame, (int)size, now_s());
    else (void)!send(sockets[1 - side], frame, (size_t)size, 0);
  }
}

static void apply(char *pair) {
  char *value = strchr(pair, '=');
  if (value) *value++ = 0;
  for (size_t i = 0; value && i < sizeof KEYS / sizeof *KEYS; i++) {
    if (strcmp(pair, KEYS[i].name) != 0) continue;
    *KEYS[i].value = atof(value);
    if (KEYS[i].value == &set.seed) reseed();
    return;
  }
  fprintf(stderr, "wire: no such setting: %s\n", pair);
  exit(2);
}

static void report(void) {
  printf("{\"type\":\"wire\"");
  for (int i = 0; i < 2; i++) {
    Direction *d = &directions[i];
    printf(",\"%s\":{\"seen\":%lu,\"lost\":%lu,\"duplicated\":%lu,\"reordered\":%lu,\"sent\":%lu,\"overflowed\":%lu}", i == 0 ? "out" : "in",
           d->seen, d->lost, d->duplicated, d->reordered, d->sent, d->overflowed);
  }
  printf("}\n");
  fflush(stdout);
}

// Whole lines only: what writes here writes a line at a time, far below the size of a pipe's buffer.
static int obey(void) {
  char line[1024];
  ssize_t size = read(0, line, sizeof line - 1);
  if (size <= 0) return 0;
  line[size] = 0;
  for (char *word = strtok(line, " \n"); word; word = strtok(NULL, " \n")) {
    if (strcmp(word, "stats") != 0) apply(word);
  }
  report();
  return 1;
}

static int attach(const char *name) {
  int fd = socket(AF_PACKET, SOCK_RAW, 0), size = 16 << 20;
  struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)if_nametoindex(name)};
  if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) < 0) {
    perror(name);
    exit(1);
  }
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
  return fd;
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  reseed();
  // What it delays should be late by its settings, not by what else this machine does.
  setpriority(PRIO_PROCESS, 0, -15);
  for (int i = 0; i < 2; i++) sockets[i] = attach(argv[1 + i]);
  for (int i = 3; i < argc; i++) apply(argv[i]);
  report();
  struct pollfd fds[3] = {{sockets[0], POLLIN, 0}, {sockets[1], POLLIN, 0}, {0, POLLIN, 0}};
  for (;;) {
    double now = now_s();
    while (count > 0 && heap[0].due <= now) {
      Waiting item = pop();
      put_on(item.out, item.frame, item.size, &directions[1 - item.out]);
      free(item.frame);
    }
    double wait = count > 0 ? heap[0].due - now : 1;
    struct timespec timeout = {(time_t)wait, (long)((wait - (double)(time_t)wait) * 1e9)};
    if (ppoll(fds, 3, &timeout, NULL) < 0 && errno != EINTR) return 1;
    for (int i = 0; i < 2; i++) {
      if (fds[i].revents) take(i);
    }
    if (fds[2].revents && !obey()) return 0;
  }
}
