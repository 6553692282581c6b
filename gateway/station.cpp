// SPDX-License-Identifier: Apache-2.0
#include "gateway/station.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>

#include "queue/salvage.hpp"

namespace tulpar {
namespace {

// Bodies are erased this often at the most; an hour's promise is kept within it.
constexpr Millis kEraseEvery = std::chrono::minutes(1);
// A disk that cannot read for so long has a bad spot; errors further apart than the pause are not the same
// trouble.
constexpr Millis kUnreadableFor = std::chrono::minutes(10), kUnreadablePause = std::chrono::minutes(1);
constexpr Millis kPruneDamagedEvery = std::chrono::hours(1);
// How long the operator is told that the store was damaged.
constexpr Millis kNoteFor = std::chrono::hours(24);
// The last 5 % of the store are for emergencies alone (DESIGN.md §6).
constexpr std::uint64_t kForAllPercent = 95;

std::vector<std::string> names_of(const std::vector<config::MessageClass>& classes) {
  std::vector<std::string> names;
  for (const auto& cls : classes) names.push_back(cls.name);
  return names;
}

Result<bridge::Classifier> make_classifier(const std::vector<config::Channel>& channels,
                                           const std::vector<config::Rule>& rules,
                                           const std::vector<config::MessageClass>& classes) {
  auto keys = bridge::meshtastic::KeyRing::create(channels);
  if (!keys) return keys.error();
  return bridge::Classifier::create(classes, rules, std::move(*keys));
}

void tell_of_gone(const queue::Store::GoneSinks& gone) {
  if (gone.moved > 0)
    spdlog::warn("{} messages were owed to sinks that are no longer configured: the others get them",
                 gone.moved);
  if (gone.elsewhere > 0)
    spdlog::warn("{} messages were owed to sinks that are no longer configured: the others have had them",
                 gone.elsewhere);
  if (gone.stay > 0) spdlog::warn("{} messages wait for a sink, and none is configured", gone.stay);
}

queue::EdgeBody edge_body(queue::MessageId id, const queue::NewMessage& message, const std::string& peer) {
  return {.body = {.id = id, .topic = message.topic, .payload = message.payload},
          .origin = {message.origin_incarnation, message.origin_number},
          .peer = peer};
}

void tell_of_removed(const std::vector<queue::RemovedFile>& removed) {
  for (const auto& file : removed) spdlog::warn("{}", file.words());
}

}  // namespace

Station::Station(boost::asio::io_context& loop, StationOptions options, std::function<void()> wake)
    : loop_(&loop),
      options_(std::move(options)),
      lock_(options_.state_dir),
      wake_(std::move(wake)),
      classifier_(make_classifier(options_.channels, options_.rules, options_.classes).value()),
      arrived_(make_classifier(options_.channels, options_.rules, options_.classes).value()),
      ballast_(options_.state_dir) {
  if (const auto last = queue::Store::last_believed(store_file())) clock_.go_on_from(*last);
  auto store = open_store();
  ballast_.restore();
  runner_ = std::make_unique<queue::ThreadedStoreRunner>(
      std::move(store), std::make_unique<queue::StoreReader>(store_file()),
      std::make_unique<queue::StoreReader>(store_file()),
      [this](std::function<void()> f) { boost::asio::post(*loop_, std::move(f)); });
  runner_->on_failure([this](const queue::StoreError& error) { on_store_failure(error); });
}

Station::~Station() = default;

std::unique_ptr<queue::Store> Station::open_store() {
  std::optional<queue::Salvaged> salvaged;
  const auto open = [&] {
    return queue::Store::open(store_file(), names_of(options_.classes), clock_, &salvaged);
  };
  auto store = open();
  if (!store && ballast_.release()) {
    spdlog::warn("{}; starting with the last {} KiB of the disk", store.error().message,
                 queue::Ballast::kSize >> 10);
    store = open();
  }
  if (!store) throw std::runtime_error(store.error().message);
  if (salvaged) {
    store_note_ = salvaged->words();
    noted_at_ = clock_.now();
    spdlog::error("{}", store_note_);
    tell_of_removed(salvaged->removed);
  }
  return std::move(*store);
}

// On one of the store's threads.
void Station::on_store_failure(const queue::StoreError& error) {
  if (error.is_full()) {
    ballast_.release();
    boost::asio::post(*loop_, [this] { give_up_damaged(); });
  }
  if (error.is_damage()) note_damage(error.what());
  if (error.is_unreadable()) boost::asio::post(*loop_, [this, words = error.plain()] { on_unreadable(words); });
}

// On one of the store's threads, which writes nothing more: while a disk hangs over the note, an SOS goes from
// memory.
void Station::note_damage(const std::string& words) {
  if (damaged_.exchange(true)) return;
  auto noted = queue::note_damage(store_file(), words);
  if (!noted && ballast_.release()) noted = queue::note_damage(store_file(), words);
  boost::asio::post(*loop_, [this, words, noted] { salvage_at_next_start(words, noted); });
}

void Station::salvage_at_next_start(const std::string& words, const Result<void>& noted) {
  const auto then = noted ? "the next start saves what can be read of it"
                          : fmt::format("the next start may not see it: {}", noted.error().message);
  throw std::runtime_error(fmt::format("{} is damaged ({}): {}", store_file(), words, then));
}

// Mostly this passes, and meanwhile an SOS goes from memory. A bad spot stays: then what can be read is saved.
// Not so while hardly anything can: a restart would only silence the gateway.
void Station::on_unreadable(const std::string& words) {
  const BootTime now = clock_.now();
  if (!unreadable_last_ || now - *unreadable_last_ > kUnreadablePause) unreadable_since_ = now;
  unreadable_last_ = now;
  if (now - *unreadable_since_ < kUnreadableFor) return;
  unreadable_since_ = now;
  // To the runner a bad spot is damage from here on.
  runner_->query(
      [file = store_file(), words](queue::StoreReader&) {
        if (queue::is_worth_salvaging(file)) throw queue::StoreError(words, SQLITE_CORRUPT);
      },
      [](const Result<void>&) {});
}

std::string Station::store_note() const {
  return clock_.now() - noted_at_ < kNoteFor ? store_note_ : std::string();
}

void Station::open_sinks(const std::vector<std::string>& names, MakeSink make, std::function<void()> done) {
  using Opened = std::pair<std::vector<int>, queue::MessageId>;
  runner_->write(
      [names](queue::Store& store) {
        queue::Store::GoneSinks gone;
        auto bits = store.set_sinks(names, &gone);
        tell_of_gone(gone);
        return Opened(std::move(bits), store.last_message());
      },
      [this, names, make = std::move(make), done = std::move(done)](Result<Opened> opened) {
        if (!opened) throw std::runtime_error(fmt::format("cannot load the store: {}", opened.error().message));
        const auto& [bits, last] = *opened;
        sink_names_ = names;
        for (std::size_t i = 0; i < bits.size(); ++i) {
          sinks_.push_back(make(i, bits[i]));
          sink_mask_ |= std::uint64_t{1} << bits[i];
        }
        // What is accepted from here on comes by deliver().
        load_edge(0, last, bits, done);
      });
}

void Station::load_edge(queue::MessageId after, queue::MessageId upto, std::vector<int> bits,
                        std::function<void()> done) {
  using Part = std::vector<std::pair<queue::Entry, std::uint64_t>>;
  runner_->write(
      [after, upto](queue::Store& store) { return store.load_edge(after, upto, queue::Store::kPart); },
      [this, upto, bits = std::move(bits), done = std::move(done)](Result<Part> part) {
        if (!part) throw std::runtime_error(fmt::format("cannot load the store: {}", part.error().message));
        for (const auto& [entry, owed] : *part)
          for (std::size_t i = 0; i < bits.size(); ++i)
            if (owed >> bits[i] & 1) sinks_[i]->add(entry);
        part->size() < queue::Store::kPart ? done() : load_edge(part->back().first.id, upto, bits, done);
      });
}

bridge::MqttSink::Options Station::sink_options(bridge::MqttOptions mqtt, int bit) const {
  bridge::MqttSink::Options options;
  options.mqtt = std::move(mqtt);
  options.bit = bit;
  options.classes = options_.classes;
  return options;
}

Result<void> Station::reconfigure(const std::vector<config::Channel>& channels,
                                  const std::vector<config::Rule>& rules,
                                  const std::vector<config::MessageClass>& classes) {
  if (names_of(classes) != names_of(options_.classes))
    return Error{"classes cannot come, go or move without a restart"};
  auto classifier = make_classifier(channels, rules, classes),
       arrived = make_classifier(channels, rules, classes);
  if (!classifier) return classifier.error();
  classifier_ = std::move(*classifier);
  arrived_ = std::move(arrived.value());
  options_.channels = channels;
  options_.rules = rules;
  options_.classes = classes;
  for (const auto& sink : sinks_) sink->set_policy(classes);
  return {};
}

void Station::deliver(const std::string& peer, const std::vector<queue::Accepted>& accepted) {
  for (const auto& one : accepted) {
    if (one.entry.id == 0) continue;
    for (auto& sink : sinks_)
      one.emergency ? sink->add(one.entry, edge_body(one.entry.id, *one.emergency, peer))
                    : sink->add(one.entry);
  }
}

void Station::deliver_unstored(const std::string& peer, const std::vector<queue::NewMessage>& messages) {
  for (const auto& message : messages)
    for (auto& sink : sinks_) sink->publish_unstored(edge_body(0, message, peer));
}

bool Station::drop_at_sinks(queue::MessageId id) {
  bool found = false;
  for (const auto& sink : sinks_) found = sink->drop(id) || found;
  return found;
}

bool Station::reclassify_at_sinks(queue::MessageId id, queue::ClassId cls) {
  bool found = false;
  for (const auto& sink : sinks_) found = sink->reclassify(id, cls) || found;
  if (found) runner_->post([id, cls](queue::Store& store) { store.reclassify(id, cls); });
  return found;
}

queue::NewMessage Station::judge(const std::string& topic, Bytes payload) {
  return judge_with(classifier_, topic, std::move(payload));
}

queue::NewMessage Station::judge_with(bridge::Classifier& classifier, const std::string& topic,
                                      Bytes payload) const {
  const auto verdict = classifier.classify(topic, payload, clock_.now());
  if (!verdict.error.empty()) spdlog::debug("{}: {}", topic, verdict.error);
  queue::NewMessage message;
  message.cls = verdict.cls;
  message.node = verdict.node;
  message.topic = topic;
  message.payload = std::move(payload);
  message.kind = verdict.kind;
  message.packet = verdict.packet;
  message.drop = verdict.drop;
  message.flagged = verdict.flagged;
  return message;
}

queue::NewMessage Station::judge_arrived(link::LinkMessage arrived) {
  auto message = judge_with(arrived_, arrived.topic, std::move(arrived.payload));
  message.peer = queue::kEdge;
  message.cls = class_named(arrived.cls).value_or(class_named("normal").value_or(message.cls));
  // What the other side decided to carry is carried, each of it: it was paid for.
  message.kind = 0;
  message.drop = queue::DropReason::kNone;
  message.flagged = arrived.flagged;
  message.age = std::chrono::seconds(arrived.age_s);
  message.sinks = sink_mask_;
  return message;
}

std::optional<queue::ClassId> Station::class_named(std::string_view name) const {
  for (std::size_t i = 0; i < options_.classes.size(); ++i)
    if (options_.classes[i].name == name) return static_cast<queue::ClassId>(i);
  return std::nullopt;
}

std::uint64_t Station::edge_bytes() const {
  std::uint64_t most = 0;
  for (const auto& sink : sinks_) most = std::max(most, sink->waiting_bytes());
  return most;
}

// The largest backlog gives way first: a gateway or a broker that is away for weeks costs the others nothing.
void Station::make_room(const std::vector<link::LinkPeer*>& peers) {
  const std::uint64_t most = options_.storage.max_size / 100 * kForAllPercent;
  const auto waiting = [&](link::LinkPeer* peer) {
    if (!peer) return edge_bytes();
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < options_.classes.size(); ++i)
      bytes += peer->scheduler().state(static_cast<queue::ClassId>(i)).queued_bytes;
    return bytes;
  };
  // A null pointer is the edge.
  std::vector<std::pair<std::uint64_t, link::LinkPeer*>> backlogs = {{edge_bytes(), nullptr}};
  std::uint64_t total = backlogs.front().first;
  for (auto* peer : peers) {
    backlogs.emplace_back(waiting(peer), peer);
    total += backlogs.back().first;
  }
  std::sort(backlogs.rbegin(), backlogs.rend());
  for (const auto& [bytes, peer] : backlogs) {
    if (total <= most) return;
    const std::uint64_t excess = total - most;
    peer ? peer->evict(excess) : evict_at_sinks(bytes - std::min(bytes, excess));
    total -= bytes - waiting(peer);
  }
}

void Station::evict_at_sinks(std::uint64_t keep) {
  for (const auto& sink : sinks_)
    if (const std::uint64_t bytes = sink->waiting_bytes(); bytes > keep) sink->evict(bytes - keep);
}

// On the page's thread: deleting a large file may take seconds.
void Station::prune_damaged(BootTime now) {
  if (pruned_at_ && now - *pruned_at_ < kPruneDamagedEvery) return;
  pruned_at_ = now;
  const auto wall = clock_.trusted() ? std::optional(clock_.wall()) : std::nullopt;
  runner_->query([file = store_file(), most = std::uint64_t{options_.storage.max_size},
                  wall](queue::StoreReader&) { return queue::prune_damaged(file, most, wall); },
                 [](Result<std::vector<queue::RemovedFile>> removed) {
                   removed ? tell_of_removed(*removed)
                           : spdlog::warn("old damaged files stay: {}", removed.error().message);
                 });
}

// One at a time: a full disk is met again soon if that was not enough.
void Station::give_up_damaged() {
  runner_->query(
      [file = store_file()](queue::StoreReader&) { return queue::remove_oldest(file, 0, "the disk is full"); },
      [](Result<std::optional<queue::RemovedFile>> removed) {
        if (removed && *removed) tell_of_removed({**removed});
      });
}

void Station::step(const std::vector<link::LinkPeer*>& peers) {
  make_room(peers);
  const BootTime now = clock_.now();
  prune_damaged(now);
  if (erasing_ || (erased_at_ && now - *erased_at_ < kEraseEvery)) return;
  erased_at_ = now;
  erasing_ = true;
  if (const auto written = DiskWrites::of_process()) disk_writes_.note(*written, clock_.wall());
  runner_->write(
      [this, keep = options_.storage.keep_delivered, story = options_.storage.keep_story](queue::Store& store) {
        ballast_.restore();
        if (const auto ahead = store.date_usage(); ahead > 0)
          spdlog::warn("{} bytes stood under days to come, from when the clock was wrong: they count today",
                       ahead);
        return store.erase_old(keep, story);
      },
      [this](Result<std::int64_t> rows) {
        erasing_ = false;
        // More than one round's worth is due: go on at once.
        if (rows && *rows >= 500) erased_at_.reset();
        wake_();
      });
}

std::optional<BootTime> Station::next_wake() const {
  if (erasing_) return std::nullopt;
  return erased_at_ ? *erased_at_ + kEraseEvery : clock_.now();
}

}  // namespace tulpar
