// Load for a relay: peers on one port, whose sessions were opened beforehand (peers.ts) and whose keys are taken over here. Each does
// what a session does with Data (PROTOCOL §2): it opens what comes, acknowledges frames after eight of them, after 5 ms, or with
// whatever leaves, and sends again what is not acknowledged in time. A sink answers eight Sends, or those of 5 ms, with one datagram of
// SendAcks. No Ping is answered: a run is over before one is due.
//
//   load BIND_PORT TO_PORT GRACE_SECONDS < input
//   input, words: PEERS, and for each: the index it is sent to with, the index it sends with, next counter, next frame number, frames
//     received, key it sends with, key it receives with, its id (64 hexadecimal digits each)
//   FLOWS, and for each: from, to, messages, window, messages a second; of the last two the one that does not apply is 0
//   output, a line each: "run" seconds of the closed loops, datagrams sent, received, refused
//                        "flow" sent, arrived, arrived again, acknowledged, then the delay of each that arrived, in microseconds
//
//   cc -O2 -o load load.c -lcrypto
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "session.h"

enum { ENVELOPE = 85, SEALED = 1024, T = 16, KIND_SEND = 0x81, KIND_SEND_ACK = 0x82, KIND_SEND_FAIL = 0x83, FLOOD = 100 };

typedef struct {
  int from, to, count, window, sent, arrived, again, acked;
  double perSecond, *startedAt, *delays;
  unsigned char *isArrived, *isAcked;
} Flow;

static Peer *peers;
static Flow *flows;
static int peerCount, flowCount;
static long back, refused;
static double lastAck;

/** The message that t belongs to: 0 flow u32 | 4 number u32 | 8 what makes it this run's. */
static Flow *flowOf(const unsigned char *t, uint32_t *number) {
  const uint32_t flow = (uint32_t)get(t, 4);
  *number = (uint32_t)get(t + 4, 4);
  return flow < (uint32_t)flowCount && *number < (uint32_t)flows[flow].count ? &flows[flow] : NULL;
}

static void arrive(Peer *peer, const unsigned char *body, int size, double t) {
  uint32_t number;
  unsigned char answer[T + 1];
  if (size != 2 + ENVELOPE + SEALED) return;
  memcpy(answer, body + 2 + ENVELOPE, T);
  answer[T] = 2;
  Flow *flow = flowOf(answer, &number);
  if (flow == NULL) return;
  if (flow->isArrived[number]) flow->again += 1;
  else flow->delays[flow->arrived++] = t - flow->startedAt[number];
  flow->isArrived[number] = 1;
  if (enqueue(peer, KIND_SEND_ACK, answer, sizeof answer) && peer->repliesWaiting++ == 0) peer->replyDue = t + DELAY;
}

static void take(Peer *peer, unsigned char kind, const unsigned char *body, int size, double t) {
  uint32_t number;
  Flow *flow;
  if (kind == KIND_SEND) arrive(peer, body, size, t);
  if (kind == KIND_SEND_FAIL) refused += 1;
  if (kind != KIND_SEND_ACK || (flow = flowOf(body, &number)) == NULL || flow->isAcked[number]) return;
  flow->isAcked[number] = 1;
  flow->acked += 1;
  lastAck = t;
}

static void receive(unsigned char *datagram, int size, double t) {
  unsigned char plain[FRAMES_MAX + TAG], nonce[12] = {0};
  int written = 0, at = 0, length = size - HEADER - TAG;
  if (size < HEADER + TAG || size > HEADER + FRAMES_MAX + TAG || datagram[0] != 0x53) return;
  const uint32_t index = (uint32_t)get(datagram + 1, 4);
  Peer *peer = peers;
  while (peer < peers + peerCount && peer->local != index) peer += 1;
  if (peer == peers + peerCount) return;
  memcpy(nonce + 4, datagram + 5, 8);
  EVP_DecryptInit_ex(peer->open, NULL, NULL, NULL, nonce);
  EVP_DecryptUpdate(peer->open, NULL, &written, datagram, HEADER);
  EVP_DecryptUpdate(peer->open, plain, &written, datagram + HEADER, length);
  EVP_CIPHER_CTX_ctrl(peer->open, EVP_CTRL_GCM_SET_TAG, TAG, datagram + HEADER + length);
  if (EVP_DecryptFinal_ex(peer->open, plain + length, &written) != 1) return;
  back += 1;
  while (at + 3 <= length) {
    const unsigned char kind = plain[at];
    const int bytes = (int)get(plain + at + 1, 2);
    if (!(kind & 0x80)) {
      if (kind == KIND_ACK) acknowledge(peer, plain + at + 3, bytes, t);
      at += 3 + bytes;
      continue;
    }
    const uint32_t number = (uint32_t)get(plain + at + 3, 4);
    peer->owed += 1;
    if (t + DELAY < peer->ackDue) peer->ackDue = t + DELAY;
    if (number >= peer->lowest && number < peer->lowest + RING && !isTaken(peer, number)) {
      peer->taken[number % RING / 8] |= (unsigned char)(1 << (number % 8));
      if (number >= peer->highest) peer->highest = number + 1;
      for (; isTaken(peer, peer->lowest); peer->lowest += 1) {
        peer->taken[peer->lowest % RING / 8] &= (unsigned char)~(1 << (peer->lowest % 8));
      }
      take(peer, kind, plain + at + 7, bytes, t);
    }
    at += 7 + bytes;
  }
}

static int submit(int flowIndex, const unsigned char *salt, double t) {
  static unsigned char body[2 + ENVELOPE + SEALED];
  unsigned char opened[3 + T] = {'a', 'c', 'k'}, *envelope = body + 2;
  Flow *flow = &flows[flowIndex];
  struct timespec wall;
  clock_gettime(CLOCK_REALTIME, &wall);
  put(opened + 3, (uint64_t)flowIndex, 4);
  put(opened + 7, (uint64_t)flow->sent, 4);
  memcpy(opened + 11, salt, 8);
  envelope[0] = 2;
  memcpy(envelope + 1, peers[flow->to].id, 32);
  SHA256(opened, sizeof opened, envelope + 33);
  put(envelope + 65, (uint64_t)wall.tv_sec * 1000 + (uint64_t)wall.tv_nsec / 1000000, 6);
  put(envelope + 71, 1, 6);
  memcpy(envelope + ENVELOPE, opened + 3, T);
  if (!enqueue(&peers[flow->from], KIND_SEND, body, sizeof body)) return 0;
  flow->startedAt[flow->sent++] = t;
  return 1;
}

static EVP_CIPHER_CTX *keyed(int isSealing) {
  unsigned char key[32];
  for (int i = 0; i < 32; i += 1) if (scanf("%2hhx", &key[i]) != 1) exit(3);
  EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
  if (EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, NULL, isSealing) != 1) exit(3);
  return ctx;
}

static void readInput(void) {
  if (scanf("%d", &peerCount) != 1) exit(3);
  peers = calloc((size_t)peerCount, sizeof *peers);
  for (Peer *peer = peers; peer < peers + peerCount; peer += 1) {
    if (scanf("%u %u %lu %u %u ", &peer->local, &peer->remote, &peer->counter, &peer->next, &peer->lowest) != 5) exit(3);
    peer->seal = keyed(1);
    if (scanf(" ") != 0) exit(3);
    peer->open = keyed(0);
    if (scanf(" ") != 0) exit(3);
    for (int i = 0; i < 32; i += 1) if (scanf("%2hhx", &peer->id[i]) != 1) exit(3);
    peer->ring = calloc(RING, sizeof *peer->ring);
    peer->unsent = peer->lowestOpen = peer->next;
    peer->highest = peer->lowest;
    peer->ackDue = peer->replyDue = 1e300;
  }
  if (scanf("%d", &flowCount) != 1) exit(3);
  flows = calloc((size_t)flowCount, sizeof *flows);
  for (Flow *flow = flows; flow < flows + flowCount; flow += 1) {
    if (scanf("%d %d %d %d %lf", &flow->from, &flow->to, &flow->count, &flow->window, &flow->perSecond) != 5) exit(3);
    // Who is to send as much as this keeps to it; an honest peer's few messages are not worth a rate.
    if (flow->perSecond >= FLOOD) peers[flow->from].rate += flow->perSecond;
    flow->startedAt = calloc((size_t)flow->count, sizeof(double));
    flow->delays = calloc((size_t)flow->count, sizeof(double));
    flow->isArrived = calloc((size_t)flow->count, 1);
    flow->isAcked = calloc((size_t)flow->count, 1);
  }
}

int main(int argc, char **argv) {
  unsigned char in[2048], salt[8];
  if (argc != 4) return 2;
  readInput();
  RAND_bytes(salt, sizeof salt);
  fd = socket(AF_INET, SOCK_DGRAM, 0);
  const int buffer = 4 << 20;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct sockaddr_in to = own;
  to.sin_port = htons((uint16_t)atoi(argv[2]));
  if (bind(fd, (struct sockaddr *)&own, sizeof own) != 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0) return 4;

  const double start = now(), grace = atof(argv[3]);
  double end = start, nextResend = start;
  lastAck = start;
  for (;;) {
    double t = now();
    int isIdle = 1, isOpen = 0, isClosedLoop = 0;
    for (int turn = 0; turn < 64; turn += 1) {
      const ssize_t got = recv(fd, in, sizeof in, MSG_DONTWAIT);
      if (got < 0) break;
      isIdle = 0;
      receive(in, (int)got, t);
    }
    for (int i = 0; i < flowCount; i += 1) {
      Flow *flow = &flows[i];
      if (flow->window > 0) isClosedLoop = 1;
      if (flow->acked < flow->count) isOpen = 1;
      // An open loop ends when its last message was to leave, whether it could or not.
      const int isLate = flow->window == 0 && t > start + flow->count / flow->perSecond + 0.1;
      while (flow->sent < flow->count && !isLate) {
        if (flow->window > 0 ? flow->sent - flow->acked >= flow->window : start + flow->sent / flow->perSecond > t) break;
        // An open loop measures from when a message was to leave, a closed one from when it could.
        if (!submit(i, salt, flow->window > 0 ? t : start + flow->sent / flow->perSecond)) break;
      }
      if (flow->sent < flow->count && !isLate) end = t;
    }
    for (int i = 0; i < peerCount; i += 1) flush(&peers[i], t);
    if (t >= nextResend) {
      for (int i = 0; i < peerCount; i += 1) resend(&peers[i], t);
      nextResend = t + 0.002;
    }
    if (!isOpen || t > end + grace || t > lastAck + 10) break;
    // A closed loop never sleeps: to wake it would cost the relay, the more the slower that is.
    if (isIdle && !isClosedLoop) {
      struct pollfd ready = {.fd = fd, .events = POLLIN};
      const struct timespec pause = {.tv_nsec = 500000};
      ppoll(&ready, 1, &pause, NULL);
    }
  }
  printf("run %.6f %ld %ld %ld\n", lastAck - start, out, back, refused);
  for (const Flow *flow = flows; flow < flows + flowCount; flow += 1) {
    printf("flow %d %d %d %d", flow->sent, flow->arrived, flow->again, flow->acked);
    for (int i = 0; i < flow->arrived; i += 1) printf(" %.0f", flow->delays[i] * 1e6);
    printf("\n");
  }
  return 0;
}
