// SPDX-License-Identifier: Apache-2.0
#include "tests/gateway/link/world.hpp"

#include <fmt/format.h>

namespace tulpar::link {
namespace {

// Of a side's messages, and how many of each.
std::map<std::string, int> topics(Side& side, const char* which) {
  std::map<std::string, int> topics;
  queue::Statement rows(side.file->database(), fmt::format("SELECT topic FROM message WHERE {}", which));
  while (rows.step()) ++topics[rows.text(0)];
  return topics;
}

constexpr const char* kSent = "peer != 0";
constexpr const char* kArrived = "peer = 0";

}  // namespace

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
  if (!heard) {
    ++byes;
    why_ = "; last: " + heard.error().message;
  }
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
  std::filesystem::copy_file(sides_[index]->path, sides_[index]->path + ".old",
                             std::filesystem::copy_options::overwrite_existing);
  sides_[index]->start();
  noticed_[index] = true;
}

void World::restore(int index) {
  Side& side = *sides_[index];
  if (!std::filesystem::exists(side.path + ".old")) return;
  break_link();
  const auto before = topics(side, kArrived);
  side.stop();
  std::filesystem::copy_file(side.path + ".old", side.path, std::filesystem::copy_options::overwrite_existing);
  side.start();
  noticed_[index] = true;
  check_contents = false;
  const auto after = topics(side, kArrived), sent = topics(side, kSent);
  for (const auto& topic : sides_[1 - index]->told())
    if (before.contains(topic) && !after.contains(topic)) gone_.insert(topic);
  std::erase_if(side.promised, [&](const std::string& topic) { return !sent.contains(topic); });
}

void World::inspect(int index, ByteView frame) {
  Side& side = *sides_[index];
  auto items = decode_frame(frame);
  require(items.has_value(), "a frame of ours is malformed");
  for (const auto& item : *items) {
    const auto* ack = std::get_if<Ack>(&item);
    const auto* greeting = std::get_if<Greeting>(&item);
    if (greeting && greeting->known == static_cast<std::uint64_t>(side.query("SELECT incarnation FROM peer")))
      ack = &greeting->closed;
    if (ack) {
      const auto closed = side.closed_on_disk();
      require(ack->cumulative < closed.low(),
              fmt::format("acknowledges {} before it is on disk ({} there), greeting: {}", ack->cumulative,
                          closed.low() - 1, greeting != nullptr));
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
      require(byte == -1 || byte == fragment.bytes[i],
              fmt::format("batch {} has two contents", fragment.batch));
      byte = fragment.bytes[i];
    }
  }
  require(static_cast<std::int64_t>(fragment.batch) < side.query("SELECT batch_end FROM peer"),
          "a batch number that is not reserved");
  require(side.outgoing->open_batches() <= kMaxOpenBatches, "too many open batches");
  if (fragment.offset != 0) return;
  Reader in(fragment.bytes);
  in.u8();
  const std::uint64_t settled = in.varint();
  const auto least = static_cast<std::uint64_t>(
      side.query("SELECT coalesce(min(number), 1 << 60) FROM message WHERE peer != 0 AND state < 2"));
  require(settled <= least, fmt::format("settled mark {} above the unfinished message {}", settled, least));
}

std::string World::words() const {
  std::string words = fmt::format("linked {} wires {} {}", linked_, wire_[0].size(), wire_[1].size());
  for (const auto& side : sides_) {
    if (!side->scheduler) {
      words += "; could not start";
      continue;
    }
    words +=
        fmt::format("; idle {} queued {} open {} greeted {} bye {} peer's bye {} renewals {}", side->idle(),
                    side->scheduler->size(), side->outgoing->open_batches(), side->session->peer().has_value(),
                    side->session->bye() ? to_string(*side->session->bye()) : "-",
                    side->session->peer_bye() ? to_string(*side->session->peer_bye()) : "-", side->renewals);
  }
  return words + fmt::format("; sessions {} byes {}", sessions_, byes) + why_;
}

bool World::done() const {
  if (!linked_) return false;
  for (const auto& side : sides_)
    if (!side->idle() || side->scheduler->size() || side->outgoing->open_batches() || !side->session->peer())
      return false;
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
    require(
        side->query(
            "SELECT count(*) FROM book WHERE accepted != delivered + expired + conflated + dropped + queued") ==
            0,
        "the books do not balance");
    require(side->query("SELECT count(*) FROM book b WHERE queued != (SELECT count(*) FROM message m WHERE "
                        "m.class = b.class AND "
                        "(m.peer = 0) = b.edge AND m.state < 2)") == 0,
            "the books count what is not there");
  }
}

void World::check_end(bool exactly_once) {
  check_books();
  for (int i : {0, 1}) {
    Side& from = *sides_[i];
    auto there = topics(*sides_[1 - i], kArrived);
    const auto kept = topics(from, kSent);
    for (const auto& topic : from.promised) require(kept.contains(topic), topic + " was accepted and is gone");
    queue::Statement sent(from.file->database(), "SELECT topic, state FROM message WHERE peer != 0");
    while (sent.step()) {
      const auto state = static_cast<queue::State>(sent.integer(1));
      const int copies = there[sent.text(0)];
      require(state >= queue::State::kDelivered, sent.text(0) + " is not finished");
      require(copies <= 1 || !exactly_once, fmt::format("{} is there {} times", sent.text(0), copies));
      require(state != queue::State::kDelivered || copies > 0 || gone_.contains(sent.text(0)),
              sent.text(0) + " is delivered here and not there");
    }
  }
}

}  // namespace tulpar::link
