// The sending half of a session as load.c has it, for each of its peers: frames that have a number until they are acknowledged, and
// datagrams sealed around them. The socket is one for all.
#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

/** WINDOW: an Ack cannot name more (PROTOCOL §5.1). */
enum { HEADER = 13, TAG = 16, FRAMES_MAX = 1171, RING = 4096, WINDOW = 512, STEP = 8, KIND_ACK = 0x0d };
static const double BURST = 64, DELAY = 0.005, RTO_UNKNOWN = 0.3, RTO_MAX = 2;

/** A frame that has a number, until it is acknowledged. */
typedef struct {
  unsigned char kind, *body;
  int size, isOpen, tries;
  double sentAt, dueAt;
} Frame;

typedef struct {
  uint32_t local, remote, next, unsent, lowestOpen, lowest, highest;
  uint64_t counter;
  unsigned char id[32], taken[RING / 8];
  EVP_CIPHER_CTX *seal, *open;
  Frame *ring;
  int owed, repliesWaiting;
  double ackDue, replyDue, rtt;
  /** Datagrams a second with frames in them, first or again; 0: as many as it likes. */
  double rate, tokens, filledAt;
} Peer;

static int fd;
static long out;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void put(unsigned char *at, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; i += 1) at[i] = (unsigned char)(value >> (8 * (bytes - 1 - i)));
}

static uint64_t get(const unsigned char *at, int bytes) {
  uint64_t value = 0;
  for (int i = 0; i < bytes; i += 1) value = value << 8 | at[i];
  return value;
}

static Frame *frameOf(Peer *peer, uint32_t number) { return &peer->ring[number % RING]; }

static int isTaken(const Peer *peer, uint32_t number) { return peer->taken[number % RING / 8] >> (number % 8) & 1; }

/** 0: the peer has as many under way as can be told apart. */
static int enqueue(Peer *peer, unsigned char kind, const unsigned char *body, int size) {
  if (peer->next - peer->lowestOpen >= WINDOW) return 0;
  Frame *frame = frameOf(peer, peer->next);
  frame->body = realloc(frame->body, (size_t)size);
  memcpy(frame->body, body, (size_t)size);
  frame->kind = kind;
  frame->size = size;
  frame->isOpen = 1;
  frame->tries = 0;
  peer->next += 1;
  return 1;
}

static void transmit(Peer *peer, const unsigned char *frames, int size) {
  unsigned char datagram[HEADER + FRAMES_MAX + TAG], nonce[12] = {0};
  int written = 0;
  datagram[0] = 0x53;
  put(datagram + 1, peer->remote, 4);
  put(datagram + 5, peer->counter, 8);
  memcpy(nonce + 4, datagram + 5, 8);
  peer->counter += 1;
  EVP_EncryptInit_ex(peer->seal, NULL, NULL, NULL, nonce);
  EVP_EncryptUpdate(peer->seal, NULL, &written, datagram, HEADER);
  EVP_EncryptUpdate(peer->seal, datagram + HEADER, &written, frames, size);
  EVP_EncryptFinal_ex(peer->seal, datagram + HEADER + size, &written);
  EVP_CIPHER_CTX_ctrl(peer->seal, EVP_CTRL_GCM_GET_TAG, TAG, datagram + HEADER + size);
  while (send(fd, datagram, (size_t)(HEADER + size + TAG), 0) < 0) {}
  out += 1;
}

static int writeAck(Peer *peer, unsigned char *at) {
  int bytes = 0;
  put(at + 3, peer->lowest, 4);
  memset(at + 7, 0, 64);
  for (uint32_t bit = 0; bit < 512 && peer->lowest + 1 + bit < peer->highest; bit += 1) {
    if (!isTaken(peer, peer->lowest + 1 + bit)) continue;
    at[7 + bit / 8] |= (unsigned char)(1 << (bit % 8));
    bytes = (int)bit / 8 + 1;
  }
  at[0] = KIND_ACK;
  put(at + 1, (uint64_t)(4 + bytes), 2);
  peer->owed = 0;
  peer->ackDue = 1e300;
  return 7 + bytes;
}

static int writeNumbered(Peer *peer, unsigned char *at, uint32_t number, double t) {
  Frame *frame = frameOf(peer, number);
  const double rto = peer->rtt == 0 ? RTO_UNKNOWN : 1.1 * peer->rtt + 0.01;
  double wait = rto;
  for (int i = 0; i < frame->tries && wait < RTO_MAX; i += 1) wait *= 1.5;
  frame->dueAt = t + (wait < RTO_MAX ? wait : RTO_MAX);
  frame->sentAt = t;
  frame->tries += 1;
  at[0] = frame->kind;
  put(at + 1, (uint64_t)frame->size, 2);
  put(at + 3, number, 4);
  memcpy(at + 7, frame->body, (size_t)frame->size);
  return 7 + frame->size;
}

/** A flood has its rate: what it repeats is part of it, or it would be as much as this program can send. */
static int mayTransmit(Peer *peer, double t) {
  if (peer->rate == 0) return 1;
  peer->tokens += (t - peer->filledAt) * peer->rate;
  peer->filledAt = t;
  if (peer->tokens > BURST) peer->tokens = BURST;
  if (peer->tokens < 1) return 0;
  peer->tokens -= 1;
  return 1;
}

static void flush(Peer *peer, double t) {
  const int isReplyDue = peer->repliesWaiting >= STEP || t >= peer->replyDue;
  const int sends = (int)(peer->next - peer->unsent) - peer->repliesWaiting;
  if (!isReplyDue && sends == 0 && peer->owed < STEP && t < peer->ackDue) return;
  int size = 0;
  unsigned char frames[FRAMES_MAX];
  if (peer->owed > 0) size = writeAck(peer, frames);
  for (; peer->unsent != peer->next; peer->unsent += 1) {
    if (size + 7 + frameOf(peer, peer->unsent)->size > FRAMES_MAX) {
      transmit(peer, frames, size);
      size = 0;
    }
    if (!mayTransmit(peer, t)) break;
    size += writeNumbered(peer, frames + size, peer->unsent, t);
  }
  peer->repliesWaiting = 0;
  peer->replyDue = 1e300;
  if (size > 0) transmit(peer, frames, size);
}

static void resend(Peer *peer, double t) {
  unsigned char frames[FRAMES_MAX];
  for (uint32_t number = peer->lowestOpen; number != peer->unsent; number += 1) {
    const Frame *frame = frameOf(peer, number);
    if (frame->isOpen && frame->dueAt <= t && mayTransmit(peer, t)) transmit(peer, frames, writeNumbered(peer, frames, number, t));
  }
}

static void acknowledge(Peer *peer, const unsigned char *body, int size, double t) {
  const uint32_t lowest = (uint32_t)get(body, 4);
  const int bits = 8 * (size - 4);
  for (uint32_t number = peer->lowestOpen; number != peer->unsent; number += 1) {
    const int bit = (int)(number - lowest) - 1;
    if (number >= lowest && (bit < 0 || bit >= bits || !(body[4 + bit / 8] >> (bit % 8) & 1))) continue;
    Frame *frame = frameOf(peer, number);
    if (frame->isOpen && frame->tries == 1) {
      const double error = t - frame->sentAt - (peer->rtt == 0 ? t - frame->sentAt : peer->rtt);
      peer->rtt = (peer->rtt == 0 ? t - frame->sentAt : peer->rtt) + (error > 0 ? error / 4 : error / 16);
    }
    frame->isOpen = 0;
  }
  while (peer->lowestOpen != peer->unsent && !frameOf(peer, peer->lowestOpen)->isOpen) peer->lowestOpen += 1;
}
