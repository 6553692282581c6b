// SPDX-License-Identifier: Apache-2.0
#include "tests/gateway/link/side.hpp"

#include <fmt/format.h>

#include <random>

namespace tulpar::link {

Side::Side(const std::string& file_path, queue::FakeClock& clock, bool initiator)
    : path(file_path), clock_(&clock), initiator_(initiator) {
  start();
}

void Side::start() {
  file = queue::open_store(path, *clock_);
  auto states = queue::commit(*file, [&](queue::Store& store) {
    peer_ = store.peer("peer");
    link_ = store.link("sat");
    return std::pair{store.load_send(peer_), store.load_receive(peer_)};
  });
  reader = std::make_unique<queue::StoreReader>(path);
  scheduler = std::make_unique<queue::Scheduler>(quick_classes());
  OutgoingConfig config{queue::kClassNames, {true, true, true, true, false}};
  outgoing = std::make_unique<Outgoing>(config, *scheduler, codec_, *this, std::move(states.first));
  outgoing->set_target(1200, 240);
  incoming = std::make_unique<Incoming>(codec_, *this, std::move(states.second));
  session = std::make_unique<Session>(*outgoing, *incoming, initiator_);
}

void Side::stop() {
  session.reset();
  incoming.reset();
  outgoing.reset();
  scheduler.reset();
  reader.reset();
  jobs_.clear();
  answers_.clear();
  reads_.clear();
  settled_.clear();
  file.reset();
  renewing_ = false;
}

bool Side::commit(std::size_t count, bool fail) {
  if (jobs_.empty()) return false;
  if (fail && jobs_.front().may_fail) {
    answers_.push_back([done = jobs_.front().done] { done(false); });
    jobs_.pop_front();
    return true;
  }
  count = std::min(count, jobs_.size());
  try {
    queue::commit(*file, [&](queue::Store& store) {
      for (std::size_t i = 0; i < count; ++i) jobs_[i].run(store);
    });
  } catch (const queue::StoreError&) {
    // As the runner does: each alone.
    if (count > 1) return commit(1);
    if (!jobs_.front().may_fail) throw;
    return commit(1, true);
  }
  for (; count > 0; --count) {
    answers_.push_back([done = jobs_.front().done] { done(true); });
    jobs_.pop_front();
  }
  return true;
}

bool Side::answer() {
  if (answers_.empty()) return false;
  const auto next = std::move(answers_.front());
  answers_.pop_front();
  next();
  return true;
}

bool Side::read(bool fail) {
  if (reads_.empty()) return false;
  std::vector<queue::MessageId> ids;
  for (const auto& entry : reads_.front()) ids.push_back(entry.id);
  reads_.pop_front();
  fail ? outgoing->on_load_failed() : outgoing->on_loaded(reader->bodies(ids), clock_->now());
  return true;
}

void Side::accept(queue::ClassId cls, std::size_t size, std::uint32_t kind) {
  queue::NewMessage message;
  message.peer = peer_;
  message.cls = cls;
  message.kind = kind;
  message.node = fmt::format("node-{}", accepted % 3);
  // The topic survives the message's end in the story: it names the message for the check at the end.
  message.topic = fmt::format("{}/{}/{}", initiator_ ? "up" : "down", accepted % 5, accepted + 1);
  ++accepted;
  // A large one does not shrink, so that it takes many frames.
  std::minstd_rand noise;
  while (size > 10'000 && message.payload.size() < size)
    message.payload.push_back(static_cast<std::uint8_t>(noise() >> 8));
  while (message.payload.size() < size) {
    const std::string text =
        fmt::format("{{\"seq\":{},\"battery\":{},\"text\":\"all is well\"}}", accepted, accepted % 100);
    message.payload.insert(message.payload.end(), text.begin(), text.end());
  }
  auto result = std::make_shared<queue::Accepted>();
  post([=](queue::Store& store) { *result = store.accept(std::span(&message, 1)).front(); },
       [this, result, topic = message.topic](bool) {
         promised.insert(topic);
         outgoing->on_accepted(result->entry.number);
         scheduler->add(result->entry);
       });
}

void Side::end_some() {
  const auto end = [this](const std::vector<queue::Entry>& entries, queue::State state) {
    if (entries.empty()) return;
    std::vector<queue::Finished> finished;
    std::vector<std::uint64_t> numbers;
    for (const auto& entry : entries) {
      finished.push_back({entry.id, state});
      numbers.push_back(entry.number);
    }
    post([=](queue::Store& store) { store.finish(finished); },
         [=, this](bool) { outgoing->on_finished(numbers); });
  };
  end(scheduler->take_expired(clock_->now()), queue::State::kExpired);
  end(scheduler->take_conflated(), queue::State::kConflated);
}

void Side::tend() {
  if (incoming->refused()) session->say_bye(ByeReason::kStoreRefuses);
  if (!session->must_renew() || renewing_) return;
  renewing_ = true;
  auto incarnation = std::make_shared<std::uint64_t>();
  post([=, this](queue::Store& store) { *incarnation = store.renew_incarnation(peer_); },
       [=, this](bool) {
         outgoing->on_renewed(*incarnation);
         session->renewed();
         renewing_ = false;
         ++renewals;
       });
}

void Side::drop(const std::vector<queue::Entry>& entries, queue::DropReason why) {
  dropped += entries.size();
  std::vector<queue::Finished> finished;
  std::vector<queue::MessageId> ids;
  std::vector<std::uint64_t> numbers;
  for (const auto& entry : entries) {
    finished.push_back({entry.id, queue::State::kDropped, why});
    ids.push_back(entry.id);
    numbers.push_back(entry.number);
  }
  post(
      [=](queue::Store& store) {
        store.mark_queued(ids);
        store.finish(finished);
      },
      [=, this](bool) { outgoing->on_finished(numbers); });
}

void Side::reserve(std::uint64_t count) {
  auto end = std::make_shared<std::uint64_t>();
  post([=, this](queue::Store& store) { *end = store.reserve_batches(peer_, count); },
       [=, this](bool ok) { ok ? outgoing->on_reserved(*end) : reserve(count); }, true);
}

void Side::begin(std::uint64_t batch, std::vector<queue::MessageId> ids) {
  post([=](queue::Store& store) { store.mark_in_flight(ids, batch); });
}

void Side::settle(queue::SettledBatch batch, std::vector<std::uint64_t> numbers) {
  for (const auto& cost : batch.messages) settled_.insert(cost.id);
  post([=, this](queue::Store& store) { store.settle(peer_, link_, batch); },
       [=, this](bool) { outgoing->on_settled(numbers); });
}

void Side::given_back(const std::vector<queue::Entry>& entries) {
  std::vector<queue::MessageId> ids;
  for (const auto& entry : entries) ids.push_back(entry.id);
  post([=](queue::Store& store) { store.mark_queued(ids); });
}

void Side::clear_history(std::uint64_t from) {
  post([=, this](queue::Store& store) { store.clear_history(peer_, from); });
}

void Side::raise_floor(std::uint64_t floor) {
  post([=, this](queue::Store& store) { store.raise_floor(peer_, floor); });
}

void Side::store(ArrivedBatch arrived) {
  for (auto& message : arrived.messages) {
    queue::NewMessage made;
    made.cls = static_cast<queue::ClassId>(
        std::find(queue::kClassNames.begin(), queue::kClassNames.end(), message.cls) -
        queue::kClassNames.begin());
    made.topic = message.topic;
    made.payload = message.payload;
    made.sinks = 1;
    made.age = std::chrono::seconds(message.age_s);
    made.origin = peer_;
    made.origin_incarnation = incoming->peer_incarnation();
    made.origin_number = message.number;
    arrived.batch.messages.push_back(std::move(made));
  }
  const auto number = arrived.batch.number;
  post([batch = std::move(arrived.batch), this](queue::Store& store) { store.receive(peer_, link_, batch); },
       [=, this](bool ok) { incoming->on_stored(number, ok, clock_->now()); }, true);
}

void Side::void_batches(std::uint64_t first, std::uint64_t count, std::uint32_t life) {
  post([=, this](queue::Store& store) { store.void_batches(peer_, first, count, life); },
       [=, this](bool ok) { incoming->on_voided(first, count, ok, clock_->now()); }, true);
}

void Side::reset(std::uint64_t incarnation, std::uint64_t floor) {
  post([=, this](queue::Store& store) { store.reset_receive(peer_, incarnation, floor); },
       [=, this](bool ok) { incoming->on_reset(ok); }, true);
}

queue::NumberSet Side::closed_on_disk() {
  queue::NumberSet closed(static_cast<std::uint64_t>(query("SELECT cumulative FROM peer")) + 1);
  queue::Statement runs(file->database(), "SELECT first, end FROM closed");
  while (runs.step()) closed.add(runs.number(0), runs.number(1) - runs.number(0));
  return closed;
}

std::set<std::string> Side::told() {
  std::set<std::string> topics;
  queue::Statement rows(file->database(), "SELECT id, topic, state FROM message WHERE peer != 0");
  while (rows.step())
    if (static_cast<queue::State>(rows.integer(2)) == queue::State::kDelivered ||
        settled_.contains(rows.integer(0)))
      topics.insert(rows.text(1));
  return topics;
}

}  // namespace tulpar::link
