// SPDX-License-Identifier: Apache-2.0
//
// What the web server needs from the assembled program, gateway or relay.
//
// Called on the loop thread; each `done` is called once on the loop thread, at once or later (it may also be
// dropped unanswered when the program ends). Nothing here waits for a disk: what needs the store answers later.
// The caller has checked the form of what it passes on, not whether ids, links or classes exist where the
// comment names a Failure for it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "gateway/web/status.hpp"

namespace tulpar::web {

// Why the program did not do what was asked; `message` is for the caller's eyes.
struct Failure {
  enum class Kind {
    kInvalid,       // 400
    kNotFound,      // 404
    kConflict,      // 409: not in its present state
    kNotSupported,  // 501: not in this version, or not of this program
    kUnavailable,   // 503: the store fails or is full
  };
  Kind kind = Kind::kUnavailable;
  std::string message;
};
[[noreturn]] inline void throw_exception_from_error(const Failure& failure, const boost::source_location&) {
  throw std::runtime_error(failure.message);
}
template <class T>
using Outcome = boost::system::result<T, Failure>;
template <class T>
using Done = std::function<void(Outcome<T>)>;

struct SendRequest {
  std::string topic;  // no wildcards, 1..config::kMaxTopic bytes
  Bytes payload;      // at most config::kMaxPayload
  std::string cls;    // one of class_names(); empty: as the rules say
};

struct UsageQuery {
  int resolution = 3600;          // seconds: 300, 3600, 86400, or 0 for the month
  std::int64_t from = 0, to = 0;  // unix seconds, [from, to)
  std::string by = "class";       // class | node | link
};

// What the provider's own counter says at a time.
struct Reading {
  std::string link;
  std::optional<config::ByteSize> wire_bytes;  // this or `cost`
  std::optional<config::Money> cost;
  WallTime at{};
};

// The operator grants more than the plan allows.
struct Allowance {
  std::string link;
  std::optional<config::ByteSize> bytes;  // this or `cost`
  std::optional<config::Money> cost;
  std::optional<WallTime> until;  // none: the end of the cycle
};

class Backend {
 public:
  virtual ~Backend() = default;

  // All from memory.
  virtual Status status() = 0;
  virtual std::vector<std::string> class_names() = 0;
  // Why messages are not accepted right now or the store does not work; empty: all is well.
  virtual std::string unhealthy() = 0;

  virtual void messages(const queue::StoryFilter& filter, Done<std::vector<MessageView>> done) = 0;
  virtual void story(queue::MessageId id, Done<MessageView> done) = 0;  // kNotFound
  // Answers once it is committed.
  virtual void send(SendRequest request, Done<queue::MessageId> done) = 0;
  // kNotFound; kConflict once it is in flight or finished.
  virtual void reclassify(queue::MessageId id, std::string cls, Done<void> done) = 0;
  virtual void drop(queue::MessageId id, Done<void> done) = 0;
  // kNotFound; kConflict for the emergency class.
  virtual Outcome<void> pause(const std::string& cls, bool paused) = 0;
  virtual void usage(const UsageQuery& query, Done<std::vector<queue::UsageRow>> done) = 0;

  // kNotFound: no such link. As long as a program does not override them: kNotSupported.
  virtual void reading(const Reading& reading, Done<void> done);
  virtual void allow(const Allowance& allowance, Done<void> done);
};

}  // namespace tulpar::web
