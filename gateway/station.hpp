// SPDX-License-Identifier: Apache-2.0
//
// What the gateway and the relay have in common: the loop, the store's threads, the classifier, the sinks of
// this machine.
//
// One loop thread runs everything here; the store has its own two. Built once at start; throws
// std::runtime_error, with words for the operator, if it cannot be. `Appliance` and `Relay` each own one.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <set>

#include "bridge/classifier.hpp"
#include "bridge/mqtt_sink.hpp"
#include "gateway/disk_writes.hpp"
#include "gateway/link/batch.hpp"
#include "gateway/link/peer.hpp"
#include "gateway/real_clock.hpp"
#include "gateway/state_lock.hpp"
#include "queue/ballast.hpp"
#include "queue/store_runner.hpp"

namespace tulpar {

// What both configurations say of it.
struct StationOptions {
  std::string state_dir;
  std::vector<config::Channel> channels;
  std::vector<config::Rule> rules;
  std::vector<config::MessageClass> classes;
  config::Storage storage;
};

class Station {
 public:
  // `wake`: something here wants to be looked at.
  Station(boost::asio::io_context& loop, StationOptions options, std::function<void()> wake);
  ~Station();

  // The sinks of this machine, once: `make` makes the i-th for its bit. Their backlog is loaded; `done`
  // follows.
  using MakeSink = std::function<std::unique_ptr<bridge::MqttSink>(std::size_t index, int bit)>;
  void open_sinks(const std::vector<std::string>& names, MakeSink make, std::function<void()> done);
  // What a sink needs to know beside its broker.
  bridge::MqttSink::Options sink_options(bridge::MqttOptions mqtt, int bit) const;
  // Messages for the sinks are on disk.
  void deliver(const std::string& peer, const std::vector<queue::Accepted>& accepted);
  // Emergencies from the peer of that name that the store does not take: published now, for what it is worth.
  void deliver_unstored(const std::string& peer, const std::vector<queue::NewMessage>& messages);

  // One that waits at sinks is dropped, or changes its class, at each of them. False: it waits at none
  // (unknown, or under way).
  bool drop_at_sinks(queue::MessageId id);
  bool reclassify_at_sinks(queue::MessageId id, queue::ClassId cls);

  // What a message is, judged by its topic and payload; its destination and class are the caller's to change.
  queue::NewMessage judge(const std::string& topic, Bytes payload);
  // The same for one that came over the link: its class is the sender's.
  queue::NewMessage judge_arrived(link::LinkMessage message);
  std::optional<queue::ClassId> class_named(std::string_view name) const;

  // Erases what has had its time; drops the least urgent when the store is full.
  void step(const std::vector<link::LinkPeer*>& peers);
  std::optional<BootTime> next_wake() const;

  boost::asio::io_context& loop() { return *loop_; }
  queue::StoreRunner& runner() { return *runner_; }
  queue::StoreHealth store_health() const { return runner_->health(); }
  // What the operator should know of the store, for a day: that it was damaged, and what could be saved.
  std::string store_note() const;
  const DiskWrites& disk_writes() const { return disk_writes_; }
  link::BatchCodec& codec() { return codec_; }
  const RealClock& clock() const { return clock_; }
  const StationOptions& options() const { return options_; }
  const std::vector<std::unique_ptr<bridge::MqttSink>>& sinks() const { return sinks_; }
  const std::vector<std::string>& sink_names() const { return sink_names_; }
  // New channels, rules and classes (same classes in the same order). Error: what cannot change without a
  // restart.
  Result<void> reconfigure(const std::vector<config::Channel>& channels, const std::vector<config::Rule>& rules,
                           const std::vector<config::MessageClass>& classes);
  std::uint64_t sink_mask() const { return sink_mask_; }
  std::string store_file() const { return options_.state_dir + "/queue.db"; }

 private:
  // What the sinks with these bits are owed, after..upto; then done.
  void load_edge(queue::MessageId after, queue::MessageId upto, std::vector<int> bits,
                 std::function<void()> done);
  std::unique_ptr<queue::Store> open_store();
  void on_store_failure(const queue::StoreError& error);
  void on_unreadable(const std::string& words);
  void note_damage(const std::string& words);
  // Ends the program: a damaged file is not used on.
  void salvage_at_next_start(const std::string& words, const Result<void>& noted);
  queue::NewMessage judge_with(bridge::Classifier& classifier, const std::string& topic, Bytes payload) const;
  // The sinks have mostly the same messages before them, so the largest backlog stands for what they keep.
  std::uint64_t edge_bytes() const;
  // Down to `keep` bytes at each.
  void evict_at_sinks(std::uint64_t keep);
  void prune_damaged(BootTime now);
  void give_up_damaged();
  void make_room(const std::vector<link::LinkPeer*>& peers);

  boost::asio::io_context* loop_;
  StationOptions options_;
  StateLock lock_;
  std::function<void()> wake_;
  RealClock clock_;
  link::BatchCodec codec_;
  bridge::Classifier classifier_;
  bridge::Classifier arrived_;  // apart: it notes who was heard, and a node behind the link was not heard here
  std::vector<std::unique_ptr<bridge::MqttSink>> sinks_;
  std::vector<std::string> sink_names_;
  std::uint64_t sink_mask_ = 0;
  std::optional<BootTime> erased_at_, pruned_at_;
  bool erasing_ = false;
  std::atomic<bool> damaged_ = false;  // that is noted, or being noted
  queue::Ballast ballast_;             // on the store's writer thread, once there is one
  std::string store_note_;
  BootTime noted_at_{};
  DiskWrites disk_writes_;
  std::optional<BootTime> unreadable_since_, unreadable_last_;
  // Last: its threads end before what their answers touch.
  std::unique_ptr<queue::ThreadedStoreRunner> runner_;
};

}  // namespace tulpar
