// A load generator that speaks the NATS protocol on raw sockets, so that the client costs little beside the server.
//
//   loadgen pub    PORT SUBJECT COUNT SIZE                   core publishes on one connection, ended by a PING
//   loadgen pubsub PORT SUBJECT COUNT SIZE                   one publisher, one subscriber, end to end
//   loadgen js     PORT SUBJECT COUNT SIZE WINDOW [KEYS]     stream publishes, WINDOW of them unacknowledged
//   loadgen pull   PORT STREAM CONSUMER COUNT BATCH ACK      pull requests of BATCH, one after the other; ACK 1: ack each
//   loadgen push   PORT COUNT CONSUMERS LINKS                what push consumers deliver to _PUSH.0, _PUSH.1 ..., a
//                                                            subscription each, on LINKS connections
//   loadgen req    PORT SUBJECT COUNT WINDOW [PAYLOAD [KEYS]] requests, WINDOW of them unanswered
//   loadgen batch  PORT STREAM COUNT BATCH                   direct gets of BATCH messages each, one after the other
//   loadgen multi  PORT STREAM SUBJECT COUNT BATCH KEYS      direct gets of the last messages of BATCH subjects each
//   loadgen queue  PORT SUBJECT STREAM CONSUMER COUNT SIZE WINDOW BATCH
//                                                            js and pull with acks at the same time, on two connections
//   loadgen fan    PORT SUBJECT COUNT SIZE WINDOW KEYS COPIES CONSUMERS LINKS
//                                                            js and push at the same time; each message comes COPIES times
//   loadgen pulls  PORT SUBJECT STREAM COUNT SIZE WINDOW KEYS CONSUMERS BATCH
//                                                            js, and pulls with acks from the consumers C0, C1 ...
//   loadgen wait   PORT SUBJECT STREAM CONSUMER COUNT SIZE   one publish at a time, delivered to a pull that waits for it;
//                                                            latencies are from the publish to the delivery
//
// A # in SUBJECT or PAYLOAD becomes the number of the message or, with KEYS, one of 0 to KEYS-1.
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
  int sid;  // of the subscription whose message is being handled
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
  c->sid = atoi(tokens[2]);
  handler(c, tokens[1], lens[1], has_reply ? tokens[3] : 0, has_reply ? lens[3] : 0, line + line_len, headers, total);
  return line_len + total + 2;
}

static void drain(conn *c, on_message handler) {
  while (c->in_len < READ_BYTES) {
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

typedef struct {
  conn *c;
  on_message handler;
} side;

// Writes what is to be written on all connections, waits until something can be read or written, and reads what there is.
static void turns(side *sides, int n) {
  struct pollfd p[n];
  for (int i = 0; i < n; i++) {
    conn *c = sides[i].c;
    flush(c);
    p[i] = (struct pollfd){c->fd, POLLIN | (c->out_pos < c->out_len ? POLLOUT : 0), 0};
  }
  poll(p, n, 100);
  for (int i = 0; i < n; i++)
    if (p[i].revents & (POLLIN | POLLHUP | POLLERR)) drain(sides[i].c, sides[i].handler);
}

static void turn(conn *c, on_message handler) { turns(&(side){c, handler}, 1); }

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

// Copies text of n bytes, with number in the place of #. Returns the bytes written.
static size_t expand(char *to, const char *text, size_t n, long number) {
  const char *mark = memchr(text, '#', n);
  if (!mark) return memcpy(to, text, n), n;
  size_t head = mark - text;
  memcpy(to, text, head);
  size_t digits = sprintf(to + head, "%ld", number);
  return head + digits + expand(to + head + digits, mark + 1, n - head - 1, number);
}

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
  static char subject[1024], payload[1 << 20];
  size_t subject_len = strlen(r->subject);
  int varies = memchr(r->payload, '#', r->size) != 0, size = r->size;
  double at = now();
  if (!varies) memcpy(payload, r->payload, size);
  while (r->sent < r->count && r->sent - answered < window) {
    long number = r->keys ? (long)(((unsigned long)r->sent * 2654435761u) % (unsigned long)r->keys) : r->sent;
    int n = expand(subject, r->subject, subject_len, number);
    if (varies) size = expand(payload, r->payload, r->size, number);
    putf(c, "PUB %.*s _INBOX.%d.%ld %d\r\n", n, subject, getpid(), r->sent, size);
    put(c, payload, size);
    put(c, "\r\n", 2);
    sent_at[r->sent++ % window] = at;
  }
}

static int run_requests(const char *mode, int port, requests *r) {
  conn *c = dial_for_requests(port, r->count);
  double start = now();
  while (answered < r->count) {
    send_requests(c, r);
    turn(c, on_answer);
    if (stalled(answered)) break;
  }
  return report(mode, answered, answered, now() - start);
}

// A consumer that is pulled from. Its subscription's number is its place among the pullers.
typedef struct {
  const char *stream;
  char consumer[64];
  long batch, asked, got, requests;
} puller;

static puller *pullers;
static int ack_each;

static void on_delivery(conn *c, char *subject, int subject_len, char *reply, int reply_len, char *body, long headers, long total) {
  if (!reply_len) {
    statuses++;
    return;
  }
  messages++;
  pullers[c->sid].got++;
  if (ack_each) {
    put(c, "PUB ", 4);
    put(c, reply, reply_len);
    put(c, " 4\r\n+ACK\r\n", 10);
  }
}

// Pulls from n consumers; one is called `name`, several have a number behind it.
static conn *dial_for_pulls(int port, const char *stream, const char *name, long n, long batch) {
  conn *c = dial(port);
  pullers = calloc(n, sizeof *pullers);
  for (long k = 0; k < n; k++) {
    puller *p = pullers + k;
    p->stream = stream, p->batch = batch;
    snprintf(p->consumer, sizeof p->consumer, n > 1 ? "%s%ld" : "%s", name, k);
    putf(c, "SUB _PULL.%d.%ld.* %ld\r\n", getpid(), k, k);
  }
  barrier(c);
  messages = 0;
  return c;
}

static void send_pulls(conn *c, long n) {
  for (long k = 0; k < n; k++) {
    puller *p = pullers + k;
    if (p->asked - p->got >= p->batch) continue;
    char body[96];
    int size = sprintf(body, "{\"batch\":%ld,\"expires\":60000000000}", p->batch);
    putf(c, "PUB $JS.API.CONSUMER.MSG.NEXT.%s.%s _PULL.%d.%ld.%ld %d\r\n%s\r\n", p->stream, p->consumer, getpid(), k, p->requests++, size, body);
    p->asked += p->batch;
  }
}

static int run_pull(int port, const char *stream, const char *consumer, long count, long batch) {
  conn *c = dial_for_pulls(port, stream, consumer, 1, batch);
  double start = now();
  while (messages < count) {
    send_pulls(c, 1);
    turn(c, on_delivery);
    if (stalled(messages)) break;
  }
  double seconds = now() - start;
  barrier(c);
  return report("pull", messages, 0, seconds);
}

// Ends when every message was published, acknowledged to its publisher, delivered and acked.
static int run_queue(const char *mode, int port, requests *r, const char *stream, const char *consumer, long consumers, long batch) {
  conn *publisher = dial_for_requests(port, r->count), *worker = dial_for_pulls(port, stream, consumer, consumers, batch);
  ack_each = 1;
  double start = now();
  while (answered < r->count || messages < r->count) {
    send_requests(publisher, r);
    send_pulls(worker, consumers);
    turns((side[]){{publisher, on_answer}, {worker, on_delivery}}, 2);
    if (stalled(answered + messages)) break;
  }
  barrier(worker);
  return report(mode, messages, answered, now() - start);
}

static double published_at;

static void on_awaited(conn *c, char *subject, int subject_len, char *reply, int reply_len, char *body, long headers, long total) {
  if (reply_len) latencies[messages] = now() - published_at;
  on_delivery(c, subject, subject_len, reply, reply_len, body, headers, total);
}

static void count_answer(conn *c, char *s, int sl, char *r, int rl, char *b, long h, long t) { answered++; }

// There are always pulls that are not used up, so one waits before each publish.
static int run_wait(int port, requests *r, const char *stream, const char *consumer) {
  window = 1;
  conn *publisher = dial_for_requests(port, r->count), *worker = dial_for_pulls(port, stream, consumer, 1, 100);
  ack_each = 1;
  send_pulls(worker, 1);
  barrier(worker);
  double start = now();
  while (messages < r->count && !stalled(messages)) {
    if (answered == r->sent && messages == r->sent) {
      send_pulls(worker, 1);
      published_at = now();
      send_requests(publisher, r);
    }
    turns((side[]){{publisher, count_answer}, {worker, on_awaited}}, 2);
  }
  return report("wait", messages, messages, now() - start);
}

static void on_push(conn *c, char *subject, int subject_len, char *reply, int reply_len, char *body, long headers, long total) {
  static const char STALLED[] = "Nats-Consumer-Stalled: ";
  if (headers < 12 || memcmp(body, "NATS/1.0 100", 12)) {
    messages++;
    return;
  }
  statuses++;
  char *stalled = reply_len ? 0 : memmem(body, headers, STALLED, sizeof STALLED - 1);
  if (stalled) reply = stalled + sizeof STALLED - 1, reply_len = strcspn(reply, "\r");
  if (reply_len) putf(c, "PUB %.*s 0\r\n\r\n", reply_len, reply);
}

// Subscribes to the consumers' subjects in turn on n connections.
static void dial_watchers(int port, side *sides, int n, long consumers) {
  for (int i = 0; i < n; i++) {
    sides[i] = (side){dial(port), on_push};
    for (long k = i; k < consumers; k += n) putf(sides[i].c, "SUB _PUSH.%ld %ld\r\n", k, k + 1);
  }
}

static int run_push(int port, long count, long consumers, int n) {
  side sides[n];
  dial_watchers(port, sides, n, consumers);
  double start = now();
  while (messages < count && !stalled(messages)) turns(sides, n);
  return report("push", messages, 0, now() - start);
}

// The rate is that of deliveries. No more than a window is on its way to the watchers either.
static int run_fan(int port, requests *r, long copies, long consumers, int n) {
  side sides[n + 1];
  dial_watchers(port, sides, n, consumers);
  for (int i = 0; i < n; i++) barrier(sides[i].c);
  sides[n] = (side){dial_for_requests(port, r->count), on_answer};
  double start = now();
  while ((answered < r->count || messages < r->count * copies) && !stalled(answered + messages)) {
    if (r->sent - messages / copies < window) send_requests(sides[n].c, r);
    turns(sides, n + 1);
  }
  return report("fan", messages, answered, now() - start);
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

static requests publishes(const char *subject, const char *count, const char *size, const char *in_flight, const char *keys) {
  char *payload = malloc(atoi(size) + 1);
  memset(payload, 'x', atoi(size));
  window = atol(in_flight);
  return (requests){.subject = subject, .payload = payload, .size = atoi(size), .count = atol(count), .keys = atol(keys)};
}

static int run_multi(int port, const char *stream, const char *subject, long count, long batch, long keys) {
  conn *c = dial(port);
  putf(c, "SUB _BATCH.%d 1\r\n", getpid());
  barrier(c);
  char *body = malloc(64 + batch * (strlen(subject) + 24));
  double start = now();
  long sent = 0;
  for (messages = 0; messages < count && !errors;) {
    int n = sprintf(body, "{\"multi_last\":[");
    for (long i = 0; i < batch; i++) {
      n += sprintf(body + n, "%s\"%s.%ld\"", i ? "," : "", subject, (long)(sent++ * 2654435761u % (unsigned long)keys));
    }
    n += sprintf(body + n, "]}");
    putf(c, "PUB $JS.API.DIRECT.GET.%s _BATCH.%d %d\r\n", stream, getpid(), n);
    put(c, body, n);
    put(c, "\r\n", 2);
    for (ended = 0; !ended;) {
      turn(c, on_batch);
      if (stalled(messages)) return report("multi", messages, 0, now() - start);
    }
  }
  return report("multi", messages, 0, now() - start);
}

int main(int argc, char **argv) {
  if (argc >= 6) {
    const char *mode = argv[1];
    int port = atoi(argv[2]), size = atoi(argv[5]);
    if (!strcmp(mode, "pub") || !strcmp(mode, "pubsub")) return run_core(port, argv[3], atol(argv[4]), size, mode[3] != 0);
    if (!strcmp(mode, "js") && argc >= 7) {
      requests r = publishes(argv[3], argv[4], argv[5], argv[6], argc > 7 ? argv[7] : "0");
      return run_requests(mode, port, &r);
    }
    if (!strcmp(mode, "req")) {
      const char *payload = argc > 6 ? argv[6] : "";
      window = atol(argv[5]);
      requests r = {.subject = argv[3], .payload = payload, .size = strlen(payload), .count = atol(argv[4]), .keys = argc > 7 ? atol(argv[7]) : 0};
      return run_requests(mode, port, &r);
    }
    if (!strcmp(mode, "batch")) return run_batch(port, argv[3], atol(argv[4]), atol(argv[5]));
    if (!strcmp(mode, "multi") && argc >= 8) {
      return run_multi(port, argv[3], argv[4], atol(argv[5]), atol(argv[6]), atol(argv[7]));
    }
    if (!strcmp(mode, "queue") && argc >= 10) {
      requests r = publishes(argv[3], argv[6], argv[7], argv[8], "0");
      return run_queue(mode, port, &r, argv[4], argv[5], 1, atol(argv[9]));
    }
    if (!strcmp(mode, "fan") && argc >= 11) {
      requests r = publishes(argv[3], argv[4], argv[5], argv[6], argv[7]);
      return run_fan(port, &r, atol(argv[8]), atol(argv[9]), atoi(argv[10]));
    }
    if (!strcmp(mode, "pulls") && argc >= 11) {
      requests r = publishes(argv[3], argv[5], argv[6], argv[7], argv[8]);
      return run_queue(mode, port, &r, argv[4], "C", atol(argv[9]), atol(argv[10]));
    }
    if (!strcmp(mode, "wait") && argc >= 8) {
      requests r = publishes(argv[3], argv[6], argv[7], "1", "0");
      return run_wait(port, &r, argv[4], argv[5]);
    }
    if (!strcmp(mode, "push")) return run_push(port, atol(argv[3]), atol(argv[4]), atoi(argv[5]));
    if (!strcmp(mode, "pull") && argc >= 8) {
      ack_each = atoi(argv[7]);
      return run_pull(port, argv[3], argv[4], atol(argv[5]), atol(argv[6]));
    }
  }
  fprintf(stderr, "usage: see the top of loadgen.c\n");
  return 2;
}
