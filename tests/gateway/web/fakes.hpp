// SPDX-License-Identifier: Apache-2.0
//
// A program without anything behind it, a clock that is set by hand, and a state directory that goes with the
// test.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>

#include "gateway/web/backend.hpp"

namespace tulpar::web {

class ManualClock : public Clock {
 public:
  BootTime now() const override { return time; }
  WallTime wall() const override { return wall_time; }
  bool trusted() const override { return is_trusted; }
  std::string boot_id() const override { return boot; }

  BootTime time{std::chrono::hours(1)};
  WallTime wall_time{std::chrono::seconds(1'795'000'000)};
  bool is_trusted = true;
  std::string boot = "boot-a";
};

class TempDir {
 public:
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tulpar-web-XXXXXX").string();
    if (!mkdtemp(pattern.data())) throw std::runtime_error("no temporary directory");
    path_ = pattern;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  std::string text() const { return path_.string(); }
  std::filesystem::path operator/(const char* name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

inline MessageView a_message(queue::MessageId id, queue::State state = queue::State::kQueued) {
  MessageView message;
  message.story.id = id;
  message.story.number = 7;
  message.story.cls = "message";
  message.story.node = "!7efeee00";
  message.story.topic = "mesh/a/text";
  message.story.peer = "relay-1";
  message.story.state = state;
  message.story.bytes = 40;
  message.story.accepted_wall = 1'795'000'000'000;
  message.age = Millis(1500);
  return message;
}

// Answers at once with what its members say, and notes what it was asked.
class FakeBackend : public Backend {
 public:
  Status status() override {
    ++statuses;
    return current;
  }
  std::vector<std::string> class_names() override { return {"emergency", "message", "bulk"}; }
  std::string unhealthy() override { return illness; }

  void messages(const queue::StoryFilter& filter, Done<std::vector<MessageView>> done) override {
    asked = filter;
    failure ? done(*failure) : done(list);
  }
  void story(queue::MessageId id, Done<MessageView> done) override {
    id == 42 ? done(a_message(42)) : done(Failure{Failure::Kind::kNotFound, "there is no such message"});
  }
  void send(SendRequest request, Done<queue::MessageId> done) override {
    sent = std::move(request);
    failure ? done(*failure) : done(queue::MessageId{43});
  }
  void reclassify(queue::MessageId id, std::string cls, Done<void> done) override {
    moved = {id, cls};
    failure ? done(*failure) : done(Outcome<void>());
  }
  void drop(queue::MessageId id, Done<void> done) override {
    dropped = id;
    failure ? done(*failure) : done(Outcome<void>());
  }
  Outcome<void> pause(const std::string& cls, bool to) override {
    if (cls == "emergency") return Failure{Failure::Kind::kConflict, "the emergency class cannot be paused"};
    if (cls != "bulk") return Failure{Failure::Kind::kNotFound, "there is no such class"};
    paused = to;
    return {};
  }
  void usage(const UsageQuery& query, Done<std::vector<queue::UsageRow>> done) override {
    used = query;
    failure ? done(*failure) : done(rows);
  }

  Status current;
  std::string illness;
  std::optional<Failure> failure;
  std::vector<MessageView> list;
  std::vector<queue::UsageRow> rows;

  int statuses = 0;
  std::optional<queue::StoryFilter> asked;
  std::optional<SendRequest> sent;
  std::optional<std::pair<queue::MessageId, std::string>> moved;
  std::optional<queue::MessageId> dropped;
  std::optional<bool> paused;
  std::optional<UsageQuery> used;
};

inline Status a_status() {
  Status status;
  status.name = "almaty-roof";
  status.at = BootTime(std::chrono::hours(1));
  status.uptime = Millis(90'500);
  status.clock_trusted = true;
  status.ok = true;
  status.verdict = "Everything works.";
  status.mesh = {
      .connected = true, .durable = false, .note = "nodes publish QoS 0", .accepted_last_minute = 12};
  status.ledger = {
      .accepted = 10, .delivered = 4, .expired = 1, .conflated = 1, .dropped = 1, .queued = 3, .duplicates = 2};
  status.back = {.accepted = 5, .delivered = 5};
  status.classes.push_back({.name = "emergency", .book = {.accepted = 1, .queued = 1}, .oldest = Millis(2500)});
  status.classes.push_back({.name = "bulk", .book = {.dropped = 1}, .paused = true, .hold_reason = "paused"});
  LinkView view{.rate_down_bps = 8800, .wire_up_today = 70, .wire_down_today = 30};
  view.link.name = "sat";
  view.link.peer = "relay-1";
  view.link.state = "up";
  view.link.rate_bps = 9600;
  view.link.round_trip = Millis(640);
  view.link.bytes = {.payload_up = 100, .frame_up = 60, .wire_up = 90, .wire_down = 40, .session_opens = 2};
  view.link.inflight_bytes = 33;
  view.link.up_since = status.at - Millis(5000);
  status.links.push_back(view);
  status.store = {.ok = true, .bytes = 4096, .max_bytes = 1'000'000, .written = 8192, .written_today = 4096};
  status.last_delivered = Millis(4200);
  status.sinks.push_back({.name = "mqtt-0", .connected = true, .lag = 3});
  status.gateways.push_back(
      {.name = "almaty-roof", .connected = true, .last_contact = Millis(100), .queued = 1});
  return status;
}

inline LinkPlan a_plan() {
  LinkPlan plan{.name = "certus-100", .currency = "USD"};
  plan.figures.used = 18'000'000;
  plan.figures.included = 50'000'000;
  plan.figures.percent = 36;
  plan.figures.cost = 1'250'000'000;
  plan.figures.left = 31'000'000;
  plan.figures.reserve_left = 1'000'000;
  plan.figures.resets_at = WallTime(std::chrono::seconds(1'796'000'000));
  plan.figures.state = queue::PlanState::kYellow;
  plan.forecast = queue::Forecast{.at_end = 38'600'000, .runs_out = std::nullopt};
  return plan;
}

}  // namespace tulpar::web
