// SPDX-License-Identifier: Apache-2.0
//
// A sink between a real store and a scripted broker, for its tests: one loop, no thread, operations that can be
// refused.
#pragma once

#include <boost/asio/post.hpp>
#include <set>
#include "bridge/mqtt_outgoing.hpp"
#include "bridge/mqtt_sink.hpp"
#include "tests/bridge/fake_broker.hpp"
#include "tests/bridge/mqtt_loop.hpp"
#include "tests/catch.hpp"
#include "tests/queue/store_fixture.hpp"

namespace tulpar::bridge {

using queue::Entry;
using queue::MessageId;
using test::FakeBroker;
using test::run_until;

// Each operation alone, on the loop, in its order; or refused.
class LoopRunner : public queue::StoreRunner {
 public:
  LoopRunner(boost::asio::io_context& loop, queue::Store& store, const std::string& path)
      : loop_(loop), store_(store), reader_(path) {}

  void submit(WriteJob job) override {
    boost::asio::post(loop_, [this, job = std::move(job)] {
      ++writes;
      answer(fail_writes, job.done, [&] { queue::commit(store_, job.run); });
    });
  }
  void submit(ReadJob job) override {
    boost::asio::post(loop_, [this, job = std::move(job)] {
      if (hold_reads) return held_reads.push_back(job);
      answer(fail_reads, job.done, [&] { job.run(reader_); });
    });
  }
  int writes = 0;
  bool fail_writes = false, fail_reads = false, hold_reads = false;
  std::vector<ReadJob> held_reads;

 private:
  template <class Work>
  void answer(bool fail, const std::function<void(const Error*)>& done, Work work) {
    const Error error{"disk I/O error"};
    if (fail) return done(&error);
    work();
    done(nullptr);
  }
  boost::asio::io_context& loop_;
  queue::Store& store_;
  queue::StoreReader reader_;
};

struct SinkFixture : queue::StoreFixture {
  boost::asio::io_context loop;
  FakeBroker broker{loop};
  int bit = run([](queue::Store& s) { return s.set_sinks({"a", "b"}); })[0];
  LoopRunner runner{loop, *store, path};
  std::unique_ptr<MqttSink> sink;

  MqttSink::Options options() const {
    return {.mqtt = broker.options(),
            .prefix = "from/{gateway}/",
            .own_name = "relay-1",
            .bit = bit,
            .classes = config::default_classes()};
  }
  MqttSink& open(MqttSink::Options options) {
    sink = std::make_unique<MqttSink>(loop, clock, runner, std::move(options));
    sink->start();
    return *sink;
  }
  MqttSink& open() { return open(options()); }

  // Owed to our sink, from gateway "relay" (the fixture's peer) under number `number`.
  Entry owe(const std::string& topic, const std::string& payload, std::uint64_t number = 0,
            queue::ClassId cls = 2) {
    queue::NewMessage made = message(topic, payload);
    made.peer = queue::kEdge;
    made.cls = cls;
    made.sinks = std::uint64_t{1} << bit;
    if (number) {
      made.origin = peer;
      made.origin_incarnation = 0xabc;
      made.origin_number = number;
    }
    return accept(made).entry;
  }
  std::vector<MessageId> owe_many(int count) {
    std::vector<MessageId> ids;
    for (int i = 1; i <= count; ++i) {
      const Entry entry = owe("t/" + std::to_string(i), "x", static_cast<std::uint64_t>(i));
      sink->add(entry);
      ids.push_back(entry.id);
    }
    return ids;
  }
  std::int64_t state(MessageId id) {
    return query("SELECT state FROM message WHERE id = " + std::to_string(id));
  }
  std::int64_t reason(MessageId id) {
    return query("SELECT reason FROM message WHERE id = " + std::to_string(id));
  }
  std::int64_t delivered() { return query("SELECT count(*) FROM message WHERE state = 2"); }
  bool delivers(std::int64_t count) {
    return run_until(loop, [&] { return delivered() == count && sink->status().queued == 0; });
  }
  bool ends(MessageId id) {
    return run_until(loop, [&] { return state(id) > 1 && sink->status().queued == 0; });
  }
};

constexpr auto kDropped = static_cast<std::int64_t>(queue::State::kDropped);
inline std::int64_t number(queue::DropReason reason) { return static_cast<std::int64_t>(reason); }

}  // namespace tulpar::bridge
