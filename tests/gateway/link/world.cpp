// SPDX-License-Identifier: Apache-2.0
#include "tests/gateway/link/world.hpp"

#include <fmt/format.h>

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
  queue::commit(*file, [&](queue::Store& store) {
    for (std::size_t i = 0; i < count; ++i) jobs_[i].run(store);
  });
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
  while (message.payload.size() < size) {
    const std::string text = fmt::format("{{\"seq\":{},\"battery\":{},\"text\":\"all is well\"}}", accepted, accepted % 100);
    message.payload.insert(message.payload.end(), text.begin(), text.end());
  }
  auto result = std::make_shared<queue::Accepted>();
  post([=](queue::Store& store) { *result = store.accept(std::span(&message, 1)).front(); },
       [this, result](bool) { scheduler->add(result->entry); });
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
    post([=](queue::Store& store) { store.finish(finished); }, [=, this](bool) { outgoing->on_finished(numbers); });
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
  post([=](queue::Store& store) {
    store.mark_queued(ids);
    store.finish(finished);
  }, [=, this](bool) { outgoing->on_finished(numbers); });
}

void Side::reserve(std::uint64_t count) {
  auto end = std::make_shared<std::uint64_t>();
  post([=, this](queue::Store& store) { *end = store.reserve_batches(peer_, count); },
       [=, this](bool ok) { ok ? outgoing->on_reserved(*end) : outgoing->on_reserve_failed(); }, true);
}

void Side::begin(std::uint64_t batch, std::vector<queue::MessageId> ids) {
  post([=](queue::Store& store) { store.mark_in_flight(ids, batch); });
}

void Side::settle(queue::SettledBatch batch, std::vector<std::uint64_t> numbers) {
  post([=, this](queue::Store& store) { store.settle(peer_, link_, batch); },
       [=, this](bool) { outgoing->on_settled(numbers); });
}

void Side::given_back(const std::vector<queue::Entry>& entries) {
  std::vector<queue::MessageId> ids;
  for (const auto& entry : entries) ids.push_back(entry.id);
  post([=](queue::Store& store) { store.mark_queued(ids); });
}

void Side::clear_history() {
  post([this](queue::Store& store) { store.clear_history(peer_); });
}

void Side::raise_floor(std::uint64_t floor) {
  post([=, this](queue::Store& store) { store.raise_floor(peer_, floor); });
}

void Side::store(ArrivedBatch arrived) {
  for (auto& message : arrived.messages) {
    queue::NewMessage made;
    made.cls = static_cast<queue::ClassId>(std::find(queue::kClassNames.begin(), queue::kClassNames.end(), message.cls) -
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

void Side::void_batches(std::uint64_t first, std::uint64_t count) {
  post([=, this](queue::Store& store) { store.void_batches(peer_, first, count); },
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

World::World() {
  sides_[0] = std::make_unique<Side>(dir_ / "gateway.db", clock, true);
  sides_[1] = std::make_unique<Side>(dir_ / "relay.db", clock, false);
}

void World::require(bool holds, const std::string& what) const {
  if (!holds) throw std::runtime_error(what);
}

void World::connect() {
  if (linked_ || !noticed_[0] || !noticed_[1]) return;
  for (auto& side : sides_) {
    side->tend();
    if (side->session->must_renew()) return;
  }
  linked_ = true;
  ++sessions_;
  for (int i : {0, 1}) {
    noticed_[i] = false;
    sides_[i]->session->connected(clock.now(), sessions_, {});
  }
}

void World::break_link() {
  linked_ = false;
  for (auto& wire : wire_) wire.clear();
}

bool World::notice(int index) {
  if (linked_ || noticed_[index]) return false;
  sides_[index]->session->disconnected();
  return noticed_[index] = true;
}

bool World::send(int index, std::size_t limit) {
  Side& side = *sides_[index];
  if (noticed_[index]) return false;
  side.tend();
  side.outgoing->prepare(clock.now());
  const Bytes frame = side.session->next_frame(clock.now(), limit);
  if (frame.empty()) return false;
  ++frames;
  inspect(index, frame);
  if (linked_) wire_[index].push_back(frame);
  return true;
}

bool World::deliver(int from) {
  if (wire_[from].empty()) return false;
  const Bytes frame = std::move(wire_[from].front());
  wire_[from].pop_front();
  Side& to = *sides_[1 - from];
  const auto heard = to.session->on_frame(frame, clock.now());
  if (!heard) ++byes;
  const bool ended = to.session->peer_bye().has_value() || !sides_[from]->session->up();
  if (ended && wire_[from].empty()) break_link();
  return true;
}

void World::crash(int index) {
  break_link();
  sides_[index]->stop();
  sides_[index]->start();
  noticed_[index] = true;
}

void World::backup(int index) {
  break_link();
  sides_[index]->stop();
  std::filesystem::copy_file(sides_[index]->path, sides_[index]->path + ".old", std::filesystem::copy_options::overwrite_existing);
  sides_[index]->start();
  noticed_[index] = true;
}

void World::restore(int index) {
  if (!std::filesystem::exists(sides_[index]->path + ".old")) return;
  break_link();
  sides_[index]->stop();
  std::filesystem::copy_file(sides_[index]->path + ".old", sides_[index]->path, std::filesystem::copy_options::overwrite_existing);
  sides_[index]->start();
  noticed_[index] = true;
  check_contents = false;
}

void World::inspect(int index, ByteView frame) {
  Side& side = *sides_[index];
  auto items = decode_frame(frame);
  require(items.has_value(), "a frame of ours is malformed");
  for (const auto& item : *items) {
    const auto* ack = std::get_if<Ack>(&item);
    const auto* greeting = std::get_if<Greeting>(&item);
    if (greeting && greeting->known == static_cast<std::uint64_t>(side.query("SELECT incarnation FROM peer"))) ack = &greeting->closed;
    if (ack) {
      const auto closed = side.closed_on_disk();
      require(ack->cumulative < closed.low(), fmt::format("acknowledges {} before it is on disk", ack->cumulative));
      std::uint64_t at = ack->cumulative + 1;
      for (const auto& [gap, count] : ack->runs) {
        at += gap;
        auto known = closed;
        require(!known.add(at, count), "acknowledges a run before it is on disk");
        at += count;
      }
    }
    if (const auto* fragment = std::get_if<Fragment>(&item)) inspect_fragment(index, *fragment);
    lost += std::holds_alternative<Lost>(item);
    refused += std::holds_alternative<Refused>(item);
  }
}

void World::inspect_fragment(int index, const Fragment& fragment) {
  Side& side = *sides_[index];
  if (check_contents) {
    const auto incarnation = static_cast<std::uint64_t>(side.query("SELECT own_incarnation FROM peer"));
    auto& seen = contents_[{index, incarnation, fragment.batch}];
    seen.resize(std::max<std::size_t>(seen.size(), fragment.offset + fragment.bytes.size()), -1);
    for (std::size_t i = 0; i < fragment.bytes.size(); ++i) {
      int& byte = seen[fragment.offset + i];
      require(byte == -1 || byte == fragment.bytes[i], fmt::format("batch {} has two contents", fragment.batch));
      byte = fragment.bytes[i];
    }
  }
  require(static_cast<std::int64_t>(fragment.batch) < side.query("SELECT batch_end FROM peer"), "a batch number that is not reserved");
  require(side.outgoing->open_batches() <= kMaxOpenBatches, "too many open batches");
  if (fragment.offset != 0) return;
  Reader in(fragment.bytes);
  in.u8();
  const std::uint64_t settled = in.varint();
  const auto least = static_cast<std::uint64_t>(side.query("SELECT coalesce(min(number), 1 << 60) FROM message WHERE peer != 0 AND state < 2"));
  require(settled <= least, fmt::format("settled mark {} above the unfinished message {}", settled, least));
}

bool World::done() const {
  if (!linked_) return false;
  for (const auto& side : sides_)
    if (!side->idle() || side->scheduler->size() || side->outgoing->open_batches() || !side->session->peer()) return false;
  return wire_[0].empty() && wire_[1].empty();
}

void World::settle_down(int rounds) {
  for (; rounds > 0 && !done(); --rounds) {
    clock.advance(Millis{60});
    for (int i : {0, 1}) {
      notice(i);
      connect();
      sides_[i]->end_some();
      sides_[i]->commit(16);
      while (sides_[i]->answer()) {
      }
      sides_[i]->read();
      while (send(i, 600)) {
      }
      while (deliver(i)) {
      }
      if (linked_ && !noticed_[i] && sides_[i]->session->overdue(clock.now())) break_link();
    }
  }
}

void World::check_books() {
  for (auto& side : sides_) {
    require(side->query("SELECT count(*) FROM book WHERE accepted != delivered + expired + conflated + dropped + queued") == 0,
            "the books do not balance");
    require(side->query("SELECT count(*) FROM book b WHERE queued != (SELECT count(*) FROM message m WHERE m.class = b.class AND "
                        "(m.peer = 0) = b.edge AND m.state < 2)") == 0, "the books count what is not there");
  }
}

void World::check_end(bool exactly_once) {
  check_books();
  for (int i : {0, 1}) {
    Side& from = *sides_[i];
    std::map<std::string, int> there;
    queue::Statement rows(sides_[1 - i]->file->database(), "SELECT topic FROM message WHERE peer = 0");
    while (rows.step()) ++there[rows.text(0)];
    queue::Statement sent(from.file->database(), "SELECT topic, state FROM message WHERE peer != 0");
    while (sent.step()) {
      const auto state = static_cast<queue::State>(sent.integer(1));
      const int copies = there[sent.text(0)];
      require(state >= queue::State::kDelivered, sent.text(0) + " is not finished");
      if (!exactly_once) continue;
      require(copies <= 1, fmt::format("{} is there {} times", sent.text(0), copies));
      require(state != queue::State::kDelivered || copies == 1, sent.text(0) + " is delivered here and not there");
    }
  }
}

}  // namespace tulpar::link
