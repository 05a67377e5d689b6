// A load generator that speaks the NATS protocol on raw sockets, so that the client costs little beside the server.
//
//   loadgen pub    PORT SUBJECT COUNT SIZE                   core publishes on one connection, ended by a PING
//   loadgen pubsub PORT SUBJECT COUNT SIZE                   one publisher, one subscriber, end to end
//   loadgen js     PORT SUBJECT COUNT SIZE WINDOW [KEYS]     stream publishes, WINDOW of them unacknowledged; with KEYS the
//                                                            subject gets a last token counting from 0 to KEYS-1
//   loadgen pull   PORT STREAM CONSUMER COUNT BATCH ACK      pull requests of BATCH, one after the other; ACK 1: ack each
//   loadgen req    PORT SUBJECT COUNT WINDOW [PAYLOAD [KEYS]] requests, WINDOW of them unanswered; KEYS as above
//   loadgen batch  PORT STREAM COUNT BATCH                   direct gets of BATCH messages each, one after the other
//   loadgen queue  PORT SUBJECT STREAM CONSUMER COUNT SIZE WINDOW BATCH
//                                                            js and pull with acks at the same time, on two connections
//
// Prints one JSON line: {"mode","count","seconds","rate","p50_us","p99_us","max_us","errors"}. Exit status 1: errors.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { READ_BYTES = 4 << 20, OUT_HIGH_WATER = 256 << 10, STALL_SECONDS = 20 };

typedef struct {
  int fd;
  char *in, *out;
  size_t in_len, out_len, out_pos, out_cap;
} conn;

static long messages, pongs, errors, statuses;
static double *latencies;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static void die(const char *what) {
  fprintf(stderr, "loadgen: %s: %s\n", what, strerror(errno));
  exit(2);
}

static char *reserve(conn *c, size_t n) {
  if (c->out_len + n > c->out_cap) {
    memmove(c->out, c->out + c->out_pos, c->out_len - c->out_pos);
    c->out_len -= c->out_pos;
    c->out_pos = 0;
    if (c->out_len + n > c->out_cap) c->out = realloc(c->out, c->out_cap = (c->out_len + n) * 2);
  }
  return c->out + c->out_len;
}

static void put(conn *c, const void *bytes, size_t n) {
  memcpy(reserve(c, n), bytes, n);
  c->out_len += n;
}

static void putf(conn *c, const char *format, ...) {
  va_list args;
  va_start(args, format);
  c->out_len += vsnprintf(reserve(c, 1024), 1024, format, args);
  va_end(args);
}

static void flush(conn *c) {
  while (c->out_pos < c->out_len) {
    ssize_t n = write(c->fd, c->out + c->out_pos, c->out_len - c->out_pos);
    if (n < 0 && errno == EAGAIN) return;
    if (n < 0) die("write");
    c->out_pos += n;
  }
  c->out_pos = c->out_len = 0;
}

typedef void (*on_message)(conn *, char *subject, int subject_len, char *reply, int reply_len, char *body, long headers, long total);

// Splits a MSG or HMSG line into tokens; the last one or two are sizes. Returns bytes used, 0 if incomplete.
static size_t parse_message(conn *c, char *line, size_t line_len, size_t available, on_message handler) {
  int has_headers = line[0] == 'H', n = 0, lens[8];
  char *tokens[8], *at = line, *end = line + line_len - 2;
  while (at < end && n < 8) {
    while (at < end && *at == ' ') at++;
    char *start = at;
    while (at < end && *at != ' ') at++;
    if (at > start) tokens[n] = start, lens[n++] = at - start;
  }
  long total = strtol(tokens[n - 1], 0, 10), headers = has_headers ? strtol(tokens[n - 2], 0, 10) : 0;
  if (line_len + total + 2 > available) return 0;
  int has_reply = n > (has_headers ? 5 : 4);
  handler(c, tokens[1], lens[1], has_reply ? tokens[3] : 0, has_reply ? lens[3] : 0, line + line_len, headers, total);
  return line_len + total + 2;
}

static void drain(conn *c, on_message handler) {
  for (;;) {
    ssize_t n = read(c->fd, c->in + c->in_len, READ_BYTES - c->in_len);
    if (n == 0) die("server closed the connection");
    if (n < 0 && errno != EAGAIN) die("read");
    if (n > 0) c->in_len += n;
    if (n < 65536) break;
  }
  size_t at = 0;
  while (at < c->in_len) {
    char *line = c->in + at, *newline = memchr(line, '\n', c->in_len - at);
    if (!newline) break;
    size_t used = newline - line + 1;
    if (line[0] == 'M' || line[0] == 'H') {
      used = parse_message(c, line, used, c->in_len - at, handler);
      if (!used) break;
    } else if (!strncmp(line, "PONG", 4)) {
      pongs++;
    } else if (!strncmp(line, "PING", 4)) {
      putf(c, "PONG\r\n");
    } else if (!strncmp(line, "-ERR", 4)) {
      errors++;
      fprintf(stderr, "%.*s\n", (int)used, line);
    }
    at += used;
  }
  memmove(c->in, c->in + at, c->in_len - at);
  c->in_len -= at;
}

static void ignore(conn *c, char *s, int sl, char *r, int rl, char *b, long h, long t) { messages++; }

static void turn(conn *c, on_message handler) {
  flush(c);
  struct pollfd p = {c->fd, POLLIN | (c->out_pos < c->out_len ? POLLOUT : 0), 0};
  poll(&p, 1, 100);
  if (p.revents & (POLLIN | POLLHUP | POLLERR)) drain(c, handler);
}

static void barrier(conn *c) {
  long before = pongs;
  putf(c, "PING\r\n");
  while (pongs == before) turn(c, ignore);
}

static conn *dial(int port) {
  conn *c = calloc(1, sizeof *c);
  c->in = malloc(READ_BYTES);
  c->out = malloc(c->out_cap = 1 << 20);
  c->fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
  if (connect(c->fd, (void *)&address, sizeof address)) die("connect");
  int one = 1;
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  fcntl(c->fd, F_SETFL, O_NONBLOCK);
  putf(c, "CONNECT {\"verbose\":false,\"pedantic\":false,\"name\":\"loadgen\",\"lang\":\"c\",\"version\":\"1\",\"protocol\":1,"
          "\"headers\":true,\"no_responders\":true}\r\n");
  barrier(c);
  messages = 0;
  return c;
}

static int by_value(const void *a, const void *b) {
  double x = *(double *)a, y = *(double *)b;
  return (x > y) - (x < y);
}

static int report(const char *mode, long count, long samples, double seconds) {
  double p50 = 0, p99 = 0, max = 0;
  if (samples) {
    qsort(latencies, samples, sizeof(double), by_value);
    p50 = latencies[samples / 2], p99 = latencies[(long)(samples * .99)], max = latencies[samples - 1];
  }
  printf("{\"mode\":\"%s\",\"count\":%ld,\"seconds\":%.3f,\"rate\":%.0f,\"p50_us\":%.0f,\"p99_us\":%.0f,\"max_us\":%.0f,\"errors\":%ld}\n",
         mode, count, seconds, count / seconds, p50 * 1e6, p99 * 1e6, max * 1e6, errors);
  return errors ? 1 : 0;
}

// Ends the run when nothing moved for too long, and counts that as an error.
static int stalled(long progress) {
  static long last = -1;
  static double since;
  if (progress != last) last = progress, since = now();
  if (now() - since < STALL_SECONDS) return 0;
  fprintf(stderr, "loadgen: stalled at %ld\n", progress);
  errors++;
  return 1;
}

static int run_core(int port, const char *subject, long count, int size, int subscribe) {
  conn *pub = dial(port), *sub = subscribe ? dial(port) : 0;
  if (sub) putf(sub, "SUB %s 1\r\n", subject), barrier(sub);
  char *one = malloc(strlen(subject) + size + 64);
  int head = sprintf(one, "PUB %s %d\r\n", subject, size);
  memset(one + head, 'x', size);
  memcpy(one + head + size, "\r\n", 2);
  long sent = 0;
  double start = now();
  messages = pongs = 0;
  while (sent < count || !pongs || (sub && messages < count)) {
    while (sent < count && pub->out_len - pub->out_pos < OUT_HIGH_WATER) {
      put(pub, one, head + size + 2);
      if (++sent == count) putf(pub, "PING\r\n");
    }
    flush(pub);
    struct pollfd p[2] = {{pub->fd, POLLIN | (pub->out_pos < pub->out_len || sent < count ? POLLOUT : 0), 0}, {sub ? sub->fd : -1, POLLIN, 0}};
    poll(p, 2, 100);
    if (p[0].revents & POLLIN) drain(pub, ignore);
    if (sub && (p[1].revents & POLLIN)) drain(sub, ignore);
    if (stalled(sent + messages)) break;
  }
  return report(subscribe ? "pubsub" : "pub", count, 0, now() - start);
}

static double *sent_at;
static long window, answered;

static void on_answer(conn *c, char *subject, int subject_len, char *reply, int reply_len, char *body, long headers, long total) {
  long id = strtol((char *)memrchr(subject, '.', subject_len) + 1, 0, 10);
  latencies[answered++] = now() - sent_at[id % window];
  int bad_status = headers > 12 && (!memcmp(body, "NATS/1.0 5", 10) || !memcmp(body, "NATS/1.0 4", 10));
  if (bad_status || memmem(body + headers, total - headers, "\"error\"", 7)) {
    if (errors++ < 3) fprintf(stderr, "%.*s\n", (int)total, body);
  }
}

typedef struct {
  const char *subject, *payload;
  long count, keys, sent;
  int size;
} requests;

static conn *dial_for_requests(int port, long count) {
  latencies = malloc(sizeof(double) * (count + 1));
  sent_at = malloc(sizeof(double) * window);
  conn *c = dial(port);
  putf(c, "SUB _INBOX.%d.* 1\r\n", getpid());
  barrier(c);
  return c;
}

// Keys come in an order that a cache would not like, and each of them comes.
static void send_requests(conn *c, requests *r) {
  double at = now();
  while (r->sent < r->count && r->sent - answered < window) {
    if (r->keys) {
      unsigned key = (unsigned)(((unsigned long)r->sent * 2654435761u) % (unsigned long)r->keys);
      putf(c, "PUB %s.%u _INBOX.%d.%ld %d\r\n", r->subject, key, getpid(), r->sent, r->size);
    } else {
      putf(c, "PUB %s _INBOX.%d.%ld %d\r\n", r->subject, getpid(), r->sent, r->size);
    }
    put(c, r->payload, r->size);
    put(c, "\r\n", 2);
    sent_at[r->sent++ % window] = at;
  }
}

static int run_requests(const char *mode, int port, const char *subject, long count, const char *payload, int size, long keys) {
  requests r = {.subject = subject, .payload = payload, .count = count, .keys = keys, .size = size};
  conn *c = dial_for_requests(port, count);
  double start = now();
  while (answered < count) {
    send_requests(c, &r);
    turn(c, on_answer);
    if (stalled(answered)) break;
  }
  return report(mode, answered, answered, now() - start);
}

static int ack_each;

static void on_delivery(conn *c, char *subject, int subject_len, char *reply, int reply_len, char *body, long headers, long total) {
  if (!reply_len) {
    statuses++;
    return;
  }
  messages++;
  if (ack_each) {
    put(c, "PUB ", 4);
    put(c, reply, reply_len);
    put(c, " 4\r\n+ACK\r\n", 10);
  }
}

typedef struct {
  const char *stream, *consumer;
  long batch, asked, requests;
} pulls;

static conn *dial_for_pulls(int port) {
  conn *c = dial(port);
  putf(c, "SUB _PULL.%d.> 1\r\n", getpid());
  barrier(c);
  messages = 0;
  return c;
}

static void send_pulls(conn *c, pulls *p) {
  if (p->asked - messages >= p->batch) return;
  char body[96];
  int n = sprintf(body, "{\"batch\":%ld,\"expires\":5000000000}", p->batch);
  putf(c, "PUB $JS.API.CONSUMER.MSG.NEXT.%s.%s _PULL.%d.%ld %d\r\n%s\r\n", p->stream, p->consumer, getpid(), p->requests++, n, body);
  p->asked += p->batch;
}

static int run_pull(int port, const char *stream, const char *consumer, long count, long batch) {
  pulls p = {.stream = stream, .consumer = consumer, .batch = batch};
  conn *c = dial_for_pulls(port);
  double start = now();
  while (messages < count) {
    send_pulls(c, &p);
    turn(c, on_delivery);
    if (stalled(messages)) break;
  }
  double seconds = now() - start;
  barrier(c);
  return report("pull", messages, 0, seconds);
}

// Ends when every message was published, acknowledged to its publisher, delivered and acked.
static int run_queue(int port, requests *r, pulls *p) {
  conn *publisher = dial_for_requests(port, r->count), *worker = dial_for_pulls(port);
  ack_each = 1;
  double start = now();
  while (answered < r->count || messages < r->count) {
    send_requests(publisher, r);
    send_pulls(worker, p);
    flush(publisher);
    flush(worker);
    struct pollfd fds[2] = {{publisher->fd, POLLIN | (publisher->out_len ? POLLOUT : 0), 0}, {worker->fd, POLLIN | (worker->out_len ? POLLOUT : 0), 0}};
    poll(fds, 2, 100);
    if (fds[0].revents & POLLIN) drain(publisher, on_answer);
    if (fds[1].revents & POLLIN) drain(worker, on_delivery);
    if (stalled(answered + messages)) break;
  }
  barrier(worker);
  return report("queue", messages, answered, now() - start);
}

static int ended;

static void on_batch(conn *c, char *subject, int subject_len, char *reply, int reply_len, char *body, long headers, long total) {
  if (headers > 12 && !memcmp(body, "NATS/1.0 ", 9)) {
    ended = 1;
    if (!memcmp(body + 9, "204", 3)) return;
    if (errors++ < 3) fprintf(stderr, "%.*s\n", (int)total, body);
  }
  messages++;
}

static int run_batch(int port, const char *stream, long count, long batch) {
  conn *c = dial(port);
  putf(c, "SUB _BATCH.%d 1\r\n", getpid());
  barrier(c);
  double start = now();
  messages = 0;
  while (messages < count) {
    char body[96];
    int n = sprintf(body, "{\"batch\":%ld,\"seq\":%ld}", batch, messages + 1);
    putf(c, "PUB $JS.API.DIRECT.GET.%s _BATCH.%d %d\r\n%s\r\n", stream, getpid(), n, body);
    for (ended = 0; !ended;) {
      turn(c, on_batch);
      if (stalled(messages)) return report("batch", messages, 0, now() - start);
    }
    if (errors) break;
  }
  return report("batch", messages, 0, now() - start);
}

int main(int argc, char **argv) {
  if (argc >= 6) {
    const char *mode = argv[1];
    int port = atoi(argv[2]), size = atoi(argv[5]);
    if (!strcmp(mode, "pub") || !strcmp(mode, "pubsub")) return run_core(port, argv[3], atol(argv[4]), size, mode[3] != 0);
    if (!strcmp(mode, "js") && argc >= 7) {
      char *payload = malloc(size + 1);
      memset(payload, 'x', size);
      window = atol(argv[6]);
      return run_requests(mode, port, argv[3], atol(argv[4]), payload, size, argc > 7 ? atol(argv[7]) : 0);
    }
    if (!strcmp(mode, "req")) {
      const char *payload = argc > 6 ? argv[6] : "";
      window = atol(argv[5]);
      return run_requests(mode, port, argv[3], atol(argv[4]), payload, strlen(payload), argc > 7 ? atol(argv[7]) : 0);
    }
    if (!strcmp(mode, "batch")) return run_batch(port, argv[3], atol(argv[4]), atol(argv[5]));
    if (!strcmp(mode, "queue") && argc >= 10) {
      size = atoi(argv[7]);
      char *payload = malloc(size + 1);
      memset(payload, 'x', size);
      window = atol(argv[8]);
      requests r = {.subject = argv[3], .payload = payload, .count = atol(argv[6]), .size = size};
      pulls p = {.stream = argv[4], .consumer = argv[5], .batch = atol(argv[9])};
      return run_queue(port, &r, &p);
    }
    if (!strcmp(mode, "pull") && argc >= 8) {
      ack_each = atoi(argv[7]);
      return run_pull(port, argv[3], argv[4], atol(argv[5]), atol(argv[6]));
    }
  }
  fprintf(stderr, "usage: see the top of loadgen.c\n");
  return 2;
}
