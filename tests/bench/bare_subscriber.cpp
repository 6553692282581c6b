// SPDX-License-Identifier: Apache-2.0
//
// The peer of durable ingest: subscribes as the gateway does (libmosquitto, MQTT 5, QoS 1, the same receive
// maximum, a loop of its own), acknowledges, and stores nothing.
//
// usage: bench_bare_subscriber PORT COUNT. Prints `ready` once subscribed, and when the acknowledgement of the
// COUNT-th message has been written, the monotonic clock in nanoseconds.
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <poll.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <stdexcept>
#include <string>

namespace {

constexpr int kReceiveMaximum = 1000;  // MqttHandle::kReceiveMaximum
constexpr int kKeepalive = 60;         // seconds

struct Heard {
  int connected = -1;  // the broker's reason code, once it has answered
  bool subscribed = false;
  long messages = 0;
};

Heard& heard(void* object) { return *static_cast<Heard*>(object); }

void check(const char* doing, int result) {
  if (result != MOSQ_ERR_SUCCESS)
    throw std::runtime_error(std::string(doing) + ": " + mosquitto_strerror(result));
}

mosquitto* connect(int port, Heard& object) {
  mosquitto* client = mosquitto_new("bench-bare", true, &object);
  if (!client) throw std::runtime_error("no memory");
  mosquitto_connect_callback_set(client,
                                 [](mosquitto*, void* self, int reason) { heard(self).connected = reason; });
  mosquitto_subscribe_callback_set(
      client, [](mosquitto*, void* self, int, int, const int*) { heard(self).subscribed = true; });
  mosquitto_message_callback_set(
      client, [](mosquitto*, void* self, const mosquitto_message*) { ++heard(self).messages; });
  mosquitto_int_option(client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
  mosquitto_int_option(client, MOSQ_OPT_RECEIVE_MAXIMUM, kReceiveMaximum);
  mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1);
  check("connect", mosquitto_connect(client, "127.0.0.1", port, kKeepalive));
  return client;
}

// One round of the loop: libmosquitto writes each acknowledgement as it reads the message.
void step(mosquitto* client) {
  const bool writing = mosquitto_want_write(client);
  pollfd socket{mosquitto_socket(client), static_cast<short>(POLLIN | (writing ? POLLOUT : 0)), 0};
  if (poll(&socket, 1, 1000) < 0) throw std::runtime_error("poll");
  if (socket.revents & ~POLLOUT) check("read", mosquitto_loop_read(client, 1));
  if (mosquitto_want_write(client)) check("write", mosquitto_loop_write(client, 1));
  if (socket.revents == 0) check("keep alive", mosquitto_loop_misc(client));
}

long long now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

void subscribe(mosquitto* client, const Heard& object) {
  while (object.connected < 0) step(client);
  if (object.connected > 0) throw std::runtime_error("the broker refuses");
  std::string filters[] = {"msh/#", "mesh/#"};
  char* list[] = {filters[0].data(), filters[1].data()};
  check("subscribe", mosquitto_subscribe_multiple(client, nullptr, 2, list, 1, 0, nullptr));
  while (!object.subscribed) step(client);
}

void run(int port, long count) {
  Heard object;
  mosquitto* client = connect(port, object);
  subscribe(client, object);
  std::puts("ready");
  std::fflush(stdout);
  while (object.messages < count || mosquitto_want_write(client)) step(client);
  std::printf("%lld\n", now_ns());
  mosquitto_destroy(client);
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 3) throw std::runtime_error("usage: bench_bare_subscriber PORT COUNT");
  mosquitto_lib_init();
  run(std::stoi(argv[1]), std::stol(argv[2]));
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "bench_bare_subscriber: %s\n", error.what());
  return 1;
}
