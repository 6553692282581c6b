// SPDX-License-Identifier: Apache-2.0
#include "gateway/station.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <boost/asio/post.hpp>
#include <filesystem>

namespace tulpar {
namespace {

// Bodies are erased this often at the most; an hour's promise is kept within it.
constexpr Millis kEraseEvery = std::chrono::minutes(1);
// The last 5 % of the store are for emergencies alone (DESIGN.md §6).
constexpr std::uint64_t kForAllPercent = 95;

std::vector<std::string> names_of(const std::vector<config::MessageClass>& classes) {
  std::vector<std::string> names;
  for (const auto& cls : classes) names.push_back(cls.name);
  return names;
}

std::string private_directory(const std::string& dir) {
  std::error_code failed;
  std::filesystem::create_directories(dir, failed);
  if (failed)
    throw std::runtime_error(fmt::format("cannot make the state directory {}: {}", dir, failed.message()));
  std::filesystem::permissions(dir, std::filesystem::perms::owner_all, failed);
  return dir;
}

}  // namespace

Station::Station(boost::asio::io_context& loop, StationOptions options, std::function<void()> wake)
    : loop_(&loop),
      options_(std::move(options)),
      wake_(std::move(wake)),
      classifier_(bridge::Classifier::create(options_.classes, options_.rules,
                                             bridge::meshtastic::KeyRing::create(options_.channels).value())
                      .value()) {
  private_directory(options_.state_dir);
  auto store = queue::Store::open(store_file(), names_of(options_.classes), clock_);
  if (!store) throw std::runtime_error(store.error().message);
  runner_ = std::make_unique<queue::ThreadedStoreRunner>(
      std::move(*store), std::make_unique<queue::StoreReader>(store_file()),
      [this](std::function<void()> f) { boost::asio::post(*loop_, std::move(f)); });
}

Station::~Station() = default;

void Station::open_sinks(const std::vector<std::string>& names, MakeSink make, std::function<void()> done) {
  using Edge = std::vector<std::pair<queue::Entry, std::uint64_t>>;
  runner_->write(
      [names](queue::Store& store) {
        auto bits = store.set_sinks(names);
        return std::pair<std::vector<int>, Edge>(std::move(bits), store.load_edge());
      },
      [this, names, make = std::move(make),
       done = std::move(done)](Result<std::pair<std::vector<int>, Edge>> loaded) {
        if (!loaded) throw std::runtime_error(fmt::format("cannot load the store: {}", loaded.error().message));
        const auto& [bits, waiting] = *loaded;
        sink_names_ = names;
        for (std::size_t i = 0; i < bits.size(); ++i) {
          sinks_.push_back(make(i, bits[i]));
          sink_mask_ |= std::uint64_t{1} << bits[i];
          std::vector<queue::Entry> entries;
          for (const auto& [entry, owed] : waiting)
            if (owed >> bits[i] & 1) entries.push_back(entry);
          sinks_.back()->load(entries);
        }
        done();
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
  auto keys = bridge::meshtastic::KeyRing::create(channels);
  if (!keys) return keys.error();
  auto classifier = bridge::Classifier::create(classes, rules, std::move(*keys));
  if (!classifier) return classifier.error();
  classifier_ = std::move(*classifier);
  options_.channels = channels;
  options_.rules = rules;
  options_.classes = classes;
  return {};
}

void Station::deliver(const std::vector<queue::Accepted>& accepted) {
  for (const auto& one : accepted)
    if (one.entry.id)
      for (auto& sink : sinks_) sink->add(one.entry);
}

queue::NewMessage Station::judge(const std::string& topic, Bytes payload) {
  const auto verdict = classifier_.classify(topic, payload, clock_.now());
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
  auto message = judge(arrived.topic, std::move(arrived.payload));
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

void Station::make_room(const std::vector<link::LinkPeer*>& peers) {
  const std::uint64_t most = options_.storage.max_size / 100 * kForAllPercent;
  for (auto* peer : peers) {
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < options_.classes.size(); ++i)
      bytes += peer->scheduler().state(static_cast<queue::ClassId>(i)).queued_bytes;
    if (bytes > most) peer->evict(bytes - most);
  }
}

void Station::step(const std::vector<link::LinkPeer*>& peers) {
  make_room(peers);
  const BootTime now = clock_.now();
  if (erasing_ || (erased_at_ && now - *erased_at_ < kEraseEvery)) return;
  erased_at_ = now;
  erasing_ = true;
  runner_->write(
      [keep = options_.storage.keep_delivered, story = options_.storage.keep_story](queue::Store& store) {
        store.date_usage();
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
