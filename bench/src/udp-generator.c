// Load for a UDP forwarder: sends datagrams read from stdin in a closed loop, at most WINDOW unanswered, and counts what comes
// back to the port it sends from. Shorter ones (Pings) do not count.
//
//   udp-generator BIND_PORT TO_PORT SIZE COUNT WINDOW < datagrams      prints: seconds received
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
  if (argc != 6) return 2;
  const int size = atoi(argv[3]), count = atoi(argv[4]), window = atoi(argv[5]);
  unsigned char *all = malloc((size_t)size * count), in[2048];
  if (all == NULL || fread(all, size, count, stdin) != (size_t)count) return 3;
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  int buffer = 4 << 20;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct sockaddr_in to = own;
  to.sin_port = htons(atoi(argv[2]));
  if (bind(fd, (struct sockaddr *)&own, sizeof own) != 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0) return 4;
  int sent = 0, received = 0, settled = 0;
  const double start = now();
  double last = start, end = start;
  while (settled < count) {
    while (sent < count && sent - settled < window) {
      if (send(fd, all + (size_t)size * sent, size, 0) == size) sent += 1;
    }
    // It never sleeps: to wake it would cost the forwarder, the more the slower that is.
    const ssize_t got = recv(fd, in, sizeof in, MSG_DONTWAIT);
    if (got == size) {
      received += 1;
      settled += 1;
      last = end = now();
    } else if (got < 0 && now() - last > 1) {
      // Nothing for a second: what is out is lost.
      settled = sent;
      last = now();
    }
  }
  printf("%.6f %d\n", end - start, received);
  return 0;
}
