// Load for a relay: sixteen peers on one port, whose datagrams were sealed beforehand (script.ts). In a closed loop it sends the next
// message of each source while fewer than WINDOW of that source's are without a SendAck, and an answer of a sink whenever STEP more
// Sends have come to it. It tells sources from sinks by the index on a datagram, and counts SendAcks by a datagram's length: each is
// 24 bytes, and what else can be in one (29 bytes around it, an Ack) is less than one more.
//
//   generator BIND_PORT TO_PORT PAIRS STEP WINDOW COUNT < input      prints: seconds messages datagrams-sent datagrams-received
//   input, all integers u32 little-endian: 2 * PAIRS indexes; COUNT sends and PAIRS * (COUNT / PAIRS / STEP) answers, each with its
//   length in front
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

typedef struct {
  uint32_t size;
  unsigned char *bytes;
} Datagram;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static int readDatagram(Datagram *datagram) {
  if (fread(&datagram->size, 4, 1, stdin) != 1 || datagram->size > 2048) return 0;
  datagram->bytes = malloc(datagram->size);
  return datagram->bytes != NULL && fread(datagram->bytes, datagram->size, 1, stdin) == 1;
}

int main(int argc, char **argv) {
  if (argc != 7) return 2;
  const int pairs = atoi(argv[3]), step = atoi(argv[4]), window = atoi(argv[5]), count = atoi(argv[6]);
  const int each = count / pairs, answerCount = each / step;
  uint32_t *indexes = calloc(2 * pairs, 4);
  Datagram *sends = calloc(count, sizeof *sends), *answers = calloc((size_t)pairs * answerCount, sizeof *answers);
  int *sent = calloc(pairs, sizeof(int)), *acked = calloc(pairs, sizeof(int)), *arrived = calloc(pairs, sizeof(int));
  if (fread(indexes, 4, 2 * pairs, stdin) != (size_t)(2 * pairs)) return 3;
  for (int i = 0; i < count; i += 1) if (!readDatagram(&sends[i])) return 3;
  for (int i = 0; i < pairs * answerCount; i += 1) if (!readDatagram(&answers[i])) return 3;

  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  int buffer = 4 << 20;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct sockaddr_in to = own;
  to.sin_port = htons(atoi(argv[2]));
  if (bind(fd, (struct sockaddr *)&own, sizeof own) != 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0) return 4;

  unsigned char in[2048];
  int done = 0, out = 0, back = 0;
  const double start = now();
  double last = start;
  while (done < pairs * answerCount * step) {
    for (int pair = 0; pair < pairs; pair += 1) {
      while (sent[pair] < answerCount * step && sent[pair] - acked[pair] < window) {
        const Datagram *next = &sends[sent[pair] * pairs + pair];
        if (send(fd, next->bytes, next->size, 0) != (ssize_t)next->size) continue;
        sent[pair] += 1;
        out += 1;
      }
    }
    // It never sleeps: to wake it would cost the relay, the more the slower that is.
    const ssize_t got = recv(fd, in, sizeof in, MSG_DONTWAIT);
    if (got < 29) {
      if (now() - last > 10) break;
      continue;
    }
    last = now();
    back += 1;
    const uint32_t index = ((uint32_t)in[1] << 24) | (in[2] << 16) | (in[3] << 8) | in[4];
    for (int peer = 0; peer < 2 * pairs; peer += 1) {
      if (indexes[peer] != index) continue;
      if (peer < pairs) {
        const int acks = (got - 29) / 24;
        acked[peer] += acks;
        done += acks;
      } else if (got > 1000) {
        const int pair = peer - pairs;
        arrived[pair] += 1;
        if (arrived[pair] % step == 0) {
          const Datagram *answer = &answers[pair * answerCount + arrived[pair] / step - 1];
          while (send(fd, answer->bytes, answer->size, 0) != (ssize_t)answer->size) {}
          out += 1;
        }
      }
    }
  }
  printf("%.6f %d %d %d\n", last - start, done, out, back);
  return 0;
}
