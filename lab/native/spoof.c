// Sends UDP datagrams with a source of one's choice, at a steady rate. Needs a raw socket, which Node does not have.
//
//   spoof SOURCE[+N] SOURCE_PORT TARGET TARGET_PORT COUNT PER_SECOND
//
// SOURCE+N means N addresses from SOURCE up, in turn. The payloads come on stdin, each with its length (u16, big-endian) in front,
// and are sent in turn as well. Prints one line of JSON: datagrams, IP bytes, refused by the kernel, seconds.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PAYLOAD_MAX 1472
#define HEADERS 28
#define BATCH 64

typedef struct {
  uint16_t size;
  unsigned char bytes[PAYLOAD_MAX];
} Payload;

static double now_s(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int read_exactly(unsigned char *into, size_t size) {
  for (size_t got = 0; got < size;) {
    ssize_t n = read(0, into + got, size - got);
    if (n <= 0) return 0;
    got += (size_t)n;
  }
  return 1;
}

static size_t read_payloads(Payload **all) {
  size_t count = 0, room = 0;
  unsigned char size[2];
  *all = NULL;
  while (read_exactly(size, 2)) {
    if (count == room) {
      room = room ? room * 2 : 64;
      *all = realloc(*all, room * sizeof **all);
      if (!*all) exit(1);
    }
    Payload *p = &(*all)[count++];
    p->size = (uint16_t)(size[0] << 8 | size[1]);
    if (p->size > PAYLOAD_MAX || !read_exactly(p->bytes, p->size)) {
      fprintf(stderr, "spoof: a payload is longer than %d bytes, or cut off\n", PAYLOAD_MAX);
      exit(2);
    }
  }
  return count;
}

static uint32_t sum(uint32_t so_far, const unsigned char *bytes, size_t size) {
  for (size_t i = 0; i < size; i++) so_far += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
  return so_far;
}

static void put16(unsigned char *at, uint32_t value) {
  at[0] = (unsigned char)(value >> 8);
  at[1] = (unsigned char)value;
}

// IPv4 and UDP headers; the kernel fills in the length, the identification and the checksum of the former.
static size_t write_packet(unsigned char *packet, uint32_t source, uint16_t source_port, uint32_t target, uint16_t target_port, const Payload *p) {
  memset(packet, 0, HEADERS);
  packet[0] = 0x45;
  packet[8] = 64;
  packet[9] = IPPROTO_UDP;
  put16(packet + 12, source >> 16);
  put16(packet + 14, source);
  put16(packet + 16, target >> 16);
  put16(packet + 18, target);
  put16(packet + 20, source_port);
  put16(packet + 22, target_port);
  put16(packet + 24, 8u + p->size);
  memcpy(packet + HEADERS, p->bytes, p->size);
  uint32_t check = sum(IPPROTO_UDP + 8u + p->size, packet + 12, 8);
  check = sum(check, packet + 20, 8u + p->size);
  while (check >> 16) check = (check & 0xffff) + (check >> 16);
  check = ~check & 0xffff;
  put16(packet + 26, check ? check : 0xffff);
  return HEADERS + p->size;
}

int main(int argc, char **argv) {
  if (argc != 7) return 2;
  uint32_t sources = 1;
  char *plus = strchr(argv[1], '+');
  if (plus) {
    *plus = 0;
    sources = (uint32_t)strtoul(plus + 1, NULL, 10);
  }
  struct in_addr source, target;
  if (!inet_aton(argv[1], &source) || !inet_aton(argv[3], &target) || sources == 0) return 2;
  uint16_t source_port = (uint16_t)atoi(argv[2]), target_port = (uint16_t)atoi(argv[4]);
  uint64_t wanted = strtoull(argv[5], NULL, 10);
  double per_second = atof(argv[6]);

  Payload *payloads;
  size_t payload_count = read_payloads(&payloads);
  int fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW), size = 8 << 20, yes = 1;
  if (fd < 0 || payload_count == 0) {
    perror("spoof");
    return 1;
  }
  setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
  setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &yes, sizeof yes);

  static unsigned char packets[BATCH][HEADERS + PAYLOAD_MAX];
  static struct mmsghdr messages[BATCH];
  static struct iovec parts[BATCH];
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = target};
  uint64_t tried = 0, sent = 0, failed = 0, bytes = 0;
  double started = now_s();
  while (tried < wanted) {
    double due = (now_s() - started) * per_second + 1;
    uint64_t upto = due < (double)wanted ? (uint64_t)due : wanted;
    unsigned batch = 0;
    for (; batch < BATCH && tried + batch < upto; batch++) {
      uint64_t n = tried + batch;
      uint32_t from = ntohl(source.s_addr) + (uint32_t)(n % sources);
      parts[batch].iov_base = packets[batch];
      parts[batch].iov_len = write_packet(packets[batch], from, source_port, ntohl(target.s_addr), target_port, &payloads[n % payload_count]);
      messages[batch].msg_hdr = (struct msghdr){.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &parts[batch], .msg_iovlen = 1};
    }
    if (batch == 0) {
      nanosleep(&(struct timespec){0, 500000}, NULL);
      continue;
    }
    for (unsigned at = 0; at < batch;) {
      int n = sendmmsg(fd, messages + at, batch - at, 0);
      if (n <= 0) {
        failed++;
        at++;
        continue;
      }
      for (int i = 0; i < n; i++) bytes += parts[at + (unsigned)i].iov_len;
      sent += (uint64_t)n;
      at += (unsigned)n;
    }
    tried += batch;
  }
  printf("{\"type\":\"spoofed\",\"sent\":%lu,\"bytes\":%lu,\"failed\":%lu,\"seconds\":%.3f}\n", sent, bytes, failed, now_s() - started);
  return 0;
}
