// The peer of the mint: a plain loop over OpenSSL's SHA-256 as its manual describes it, the first block hashed once.
//
//   cc -O2 -o mint mint.c -lcrypto
//
// Reads tasks, a line each: DIGEST EFFORT START (32 and 8 bytes in hexadecimal, EFFORT decimal). Answers each with a line:
// NONCE HASHES SECONDS. The first line it writes is the library's version.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <inttypes.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static void write64(unsigned char *at, uint64_t value) {
  for (int byte = 0; byte < 8; byte += 1) at[byte] = (unsigned char)(value >> (56 - 8 * byte));
}

static uint64_t read64(const unsigned char *at) {
  uint64_t value = 0;
  for (int byte = 0; byte < 8; byte += 1) value = value << 8 | at[byte];
  return value;
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(void) {
  char digits[65];
  uint64_t effort, start;
  puts(OpenSSL_version(OPENSSL_VERSION));
  fflush(stdout);
  while (scanf("%64s %" SCNu64 " %" SCNx64, digits, &effort, &start) == 3) {
    double started = seconds();
    unsigned char block[64] = "starling stamp v1";
    for (int byte = 0; byte < 32; byte += 1) {
      unsigned value;
      sscanf(digits + 2 * byte, "%2x", &value);
      block[24 + byte] = (unsigned char)value;
    }
    write64(block + 56, effort);
    // floor(2^64 / effort)
    uint64_t target = effort == 1 ? UINT64_MAX : UINT64_MAX / effort + (UINT64_MAX % effort == effort - 1);
    SHA256_CTX midstate;
    SHA256_Init(&midstate);
    SHA256_Update(&midstate, block, sizeof block);
    uint64_t nonce = start;
    for (;; nonce += 1) {
      unsigned char last[8], hash[SHA256_DIGEST_LENGTH];
      SHA256_CTX context = midstate;
      write64(last, nonce);
      SHA256_Update(&context, last, sizeof last);
      SHA256_Final(hash, &context);
      if (read64(hash) <= target) break;
    }
    printf("%016" PRIx64 " %" PRIu64 " %.9f\n", nonce, nonce - start + 1, seconds() - started);
    fflush(stdout);
  }
  return 0;
}
