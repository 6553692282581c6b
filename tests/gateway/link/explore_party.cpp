// SPDX-License-Identifier: Apache-2.0
#include "tests/gateway/link/explore_party.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "tests/gateway/link/explore_reach.hpp"

namespace tulpar::link::explore {
namespace {

// Whatever is sent may wait as long as it likes: a step decides, not a hold.
const std::vector<config::MessageClass>& classes() {
  static const std::vector<config::MessageClass> classes = {{.name = "emergency"}, {.name = "message"}};
  return classes;
}

OutgoingConfig config() { return {{"emergency", "message"}, {true, true}}; }

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

}  // namespace

Party::Party(Options options, BatchCodec& codec) : options_(std::move(options)), codec_(&codec) {
  held_.disk.incarnation = options_.initiator ? 100 : 200;
  for (std::size_t i = 0; i < options_.mail.size(); ++i) held_.offered.push_back(i);
  start();
}

Party::~Party() = default;

void Party::start() {
  auto send = held_.disk.load_send(held_.life, options_.flaw);
  rebuild_scheduler({});
  outgoing_.emplace(config(), *scheduler_, *codec_, *this, std::move(send));
  outgoing_->set_target(options_.batch, options_.batch);
  incoming_.emplace(*codec_, *this, held_.disk.load_receive());
  session_.emplace(*outgoing_, *incoming_, options_.initiator);
  session_->set_round_trip(Millis{0});
}

void Party::rebuild_scheduler(const std::vector<queue::Entry>& queued) {
  scheduler_.emplace(classes());
  for (const auto& entry : queued) scheduler_->add(entry);
}

void Party::crash(std::size_t committed) {
  for (; committed > 0; --committed) commit();
  Held held{.disk = std::move(held_.disk),
            .life = {.name = held_.life.name},
            .offered = {},
            .highest_batch = held_.highest_batch};
  held.backup = std::move(held_.backup);
  held.offered = std::move(held_.offered);
  // Nobody was told that it is on disk.
  std::vector<Mail> uncertain;
  for (const auto& job : held_.jobs)
    if (const auto* accept = std::get_if<Accept>(&job.write)) uncertain.push_back(accept->mail);
  held_ = std::move(held);
  for (const auto& mail : uncertain) offer(mail);
  start();
}

void Party::restore() {
  held_.disk = *held_.backup;
  held_.highest_batch = 0;
  crash(0);
}

// ---- the store

void Party::accept() {
  post(Accept{options_.mail[held_.offered.front()]});
  held_.offered.pop_front();
}

void Party::offer(const Mail& mail) {
  for (std::size_t i = 0; i < options_.mail.size(); ++i)
    if (options_.mail[i].topic == mail.topic) held_.offered.push_back(i);
}

void Party::durable(Write write) {
  if (held_.trying || !held_.waiting.empty())
    held_.waiting.push_back(std::move(write));
  else
    held_.jobs.push_back({std::move(write), true});
}

std::optional<std::uint64_t> Party::commit() {
  const Job job = std::move(held_.jobs.front());
  held_.jobs.pop_front();
  try {
    return held_.disk.commit(job.write, held_.life, options_.flaw);
  } catch (const queue::StoreError&) {
    return std::nullopt;
  }
}

bool Party::hears_early(const Job& job) const {
  if (job.heard) return false;
  return (options_.flaw == Flaw::kAcknowledgesBeforeCommit && std::holds_alternative<Keep>(job.write)) ||
         (options_.flaw == Flaw::kSettlesBeforeCommit && std::holds_alternative<Settle>(job.write));
}

void Party::store(bool ok) {
  if (Job& early = held_.jobs.front(); hears_early(early)) {
    early.heard = true;
    return hear(early.write, true, 0);
  }
  const Job job = held_.jobs.front();
  // The number was given to a transaction that failed.
  if (!ok && std::holds_alternative<Accept>(job.write)) ++held_.life.next_number;
  const auto value = ok ? commit() : (held_.jobs.pop_front(), std::nullopt);
  if (job.durable && !value) {
    held_.trying = false;
    held_.waiting.push_back(job.write);
    return;
  }
  if (job.durable && std::exchange(held_.trying, false))
    for (auto& write : std::exchange(held_.waiting, {})) held_.jobs.push_back({std::move(write), true});
  if (!job.heard) hear(job.write, value.has_value(), value.value_or(0));
}

void Party::retry() {
  held_.trying = true;
  held_.jobs.push_back({std::move(held_.waiting.front()), true});
  held_.waiting.pop_front();
}

void Party::hear(const Write& write, bool ok, std::uint64_t value) {
  std::visit(Overloaded{[&](const Accept& w) {
                          if (!ok) return offer(w.mail);
                          const auto entry = held_.disk.entry(static_cast<queue::MessageId>(value));
                          outgoing_->on_accepted(entry.number);
                          scheduler_->add(entry);
                        },
                        [&](const Reserve&) { outgoing_->on_reserved(value); },
                        [&](const Settle& w) { outgoing_->on_settled(w.numbers); },
                        [&](const Finish& w) { outgoing_->on_finished(w.numbers); },
                        [&](const Keep& w) {
                          incoming_->on_stored(w.batch.number, ok, kNow);
                          if (held_.online && incoming_->refused()) session_->say_bye(ByeReason::kStoreRefuses);
                        },
                        [&](const Close& w) { incoming_->on_voided(w.first, w.count, ok, kNow); },
                        [&](const Reset&) { incoming_->on_reset(ok); },
                        [&](const Renew&) {
                          outgoing_->on_renewed(value);
                          held_.renewing = false;
                        },
                        [](const auto&) {}},
             write);
}

void Party::read(bool fail) {
  if (fail) return held_.reading.clear(), outgoing_->on_load_failed();
  std::vector<queue::Body> bodies;
  for (const auto& entry : std::exchange(held_.reading, {})) {
    const Mail& mail = held_.disk.messages.at(static_cast<std::size_t>(entry.id - 1)).mail;
    bodies.push_back({entry.id, mail.topic, mail.payload});
  }
  outgoing_->on_loaded(std::move(bodies), kNow);
}

bool Party::idle() const { return held_.jobs.empty() && held_.waiting.empty() && held_.reading.empty(); }

// ---- the session

void Party::connect() {
  held_.online = true;
  session_->connected(kNow, 7, {});
}

void Party::disconnect() {
  held_.online = false;
  session_->disconnected();
  if (!session_->must_renew()) return;
  held_.renewing = true;
  session_->renewed();
  durable(Renew{});
}

void Party::receive(ByteView frame) {
  (void)session_->on_frame(frame, kNow);  // an error is the bye that it says next
  if (!session_->peer_bye() && incoming_->refused()) session_->say_bye(ByeReason::kStoreRefuses);
}

Bytes Party::frame(bool late) {
  if (!session_->greeting_due() && !session_->bye()) outgoing_->prepare(kNow);
  return session_->next_frame(late ? kNow + std::chrono::seconds(5) : kNow, options_.frame);
}

// ---- what the two directions ask

void Party::begin(std::uint64_t batch, std::vector<queue::MessageId>) {
  if (batch <= held_.highest_batch)
    throw std::runtime_error(fmt::format("batch number {} is used for a second content", batch));
  if (batch >= held_.disk.batch_end)
    throw std::runtime_error(fmt::format("batch number {} is used and not reserved on disk", batch));
  held_.highest_batch = batch;
}

void Party::settle(queue::SettledBatch batch, std::vector<std::uint64_t> numbers) {
  durable(Settle{std::move(batch), std::move(numbers)});
}

void Party::store(ArrivedBatch arrived) {
  for (auto& message : arrived.messages) {
    queue::NewMessage made;
    made.topic = std::move(message.topic);
    made.origin_number = message.number;
    arrived.batch.messages.push_back(std::move(made));
  }
  post(Keep{std::move(arrived.batch)});
}

void Party::finish(const std::vector<queue::Entry>& entries) {
  Finish finish;
  for (const auto& entry : entries) {
    finish.ids.push_back(entry.id);
    finish.numbers.push_back(entry.number);
  }
  durable(std::move(finish));
}

void Party::drop() {
  queue::Entry last;
  for (const auto& entry : queued(*scheduler_)) last = entry;
  finish({*scheduler_->remove(last.id)});
}

void Party::drop(const std::vector<queue::Entry>&, queue::DropReason why) {
  throw std::runtime_error(fmt::format("messages are dropped: {}", queue::to_string(why)));
}

}  // namespace tulpar::link::explore
