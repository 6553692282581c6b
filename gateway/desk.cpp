// SPDX-License-Identifier: Apache-2.0
#include "gateway/desk.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tulpar {
namespace {

constexpr Millis kMinute = std::chrono::minutes(1);

web::Failure unavailable(const Error& error) { return {web::Failure::Kind::kUnavailable, error.message}; }

queue::LinkBytes sum_of(const std::vector<queue::UsageRow>& rows, const std::string& label) {
  queue::LinkBytes bytes;
  for (const auto& row : rows)
    if (row.label == label)
      bytes += queue::LinkBytes{.payload_up = row.usage.payload,
                                .payload_down = 0,
                                .frame_up = row.usage.frame,
                                .frame_down = 0,
                                .wire_up = row.usage.wire_up,
                                .wire_down = row.usage.wire_down,
                                .session_opens = 0};
  return bytes;
}

}  // namespace

Desk::Desk(Station& station, Program program, std::function<void()> wake)
    : station_(&station),
      program_(std::move(program)),
      wake_(std::move(wake)),
      started_(station.clock().now()),
      paused_(station.options().classes.size()) {}

void Desk::changed() {
  if (std::exchange(dirty_, true)) return;
  wake_();
}

void Desk::count_accepted(const std::vector<queue::Accepted>& messages) {
  const BootTime now = station_->clock().now();
  if (accepted_.empty() || now - accepted_.back().first >= std::chrono::seconds(1))
    accepted_.emplace_back(now, 0);
  accepted_.back().second += static_cast<std::size_t>(
      std::count_if(messages.begin(), messages.end(), [](const auto& message) { return !message.duplicate; }));
  while (now - accepted_.front().first > kMinute) accepted_.pop_front();
  changed();
}

std::int64_t Desk::accepted_last_minute() const {
  std::int64_t sum = 0;
  for (const auto& [at, count] : accepted_)
    if (station_->clock().now() - at <= kMinute) sum += static_cast<std::int64_t>(count);
  return sum;
}

void Desk::joined(link::LinkPeer& peer) {
  for (std::size_t i = 0; i < paused_.size(); ++i)
    peer.scheduler().pause(static_cast<queue::ClassId>(i), paused_[i]);
}

void Desk::step() {
  const BootTime now = station_->clock().now();
  if (!dirty_ || reading_ || (read_at_ && now - *read_at_ < kRefresh)) return;
  dirty_ = false;
  reading_ = true;
  read_at_ = now;
  const std::int64_t day = queue::slot_start(station_->clock().wall(), 86'400);
  std::vector<std::string> links;
  for (auto* peer : program_.peers()) links.push_back(peer->status().name);
  station_->runner().query(
      [day, links](queue::StoreReader& reader) {
        Figures figures;
        figures.books = reader.books();
        const auto rows = reader.usage(86'400, day, day + 86'400, "link");
        for (const auto& link : links) figures.today[link] = sum_of(rows, link);
        figures.size = reader.size();
        return figures;
      },
      [this](Result<Figures> figures) {
        reading_ = false;
        if (figures)
          take(std::move(*figures));
        else
          dirty_ = true;
        if (renewed_) renewed_();
        wake_();
      });
}

void Desk::take(Figures figures) {
  std::int64_t delivered = 0;
  for (const auto& row : figures.books)
    if (row.edge == program_.edge_is_main) delivered += row.book.delivered;
  if (delivered_ && delivered > *delivered_) delivered_at_ = station_->clock().now();
  delivered_ = delivered;
  figures_ = std::move(figures);
}

std::optional<BootTime> Desk::next_wake() const {
  if (!dirty_ || reading_) return std::nullopt;
  return read_at_ ? *read_at_ + kRefresh : station_->clock().now();
}

std::vector<web::ClassStatus> Desk::class_status(const std::vector<link::LinkPeer*>& peers) {
  std::vector<web::ClassStatus> classes;
  const BootTime now = station_->clock().now();
  for (std::size_t i = 0; i < station_->options().classes.size(); ++i) {
    const auto cls = static_cast<queue::ClassId>(i);
    web::ClassStatus status;
    status.name = station_->options().classes[i].name;
    for (const auto& row : figures_.books)
      if (row.edge == program_.edge_is_main && row.cls == status.name) status.book = row.book;
    const auto consider = [&](const queue::ClassState& state) {
      status.queued_bytes += state.queued_bytes;
      if (state.oldest) status.oldest = std::max(status.oldest.value_or(Millis{0}), now - *state.oldest);
    };
    if (program_.edge_is_main) {
      for (const auto& sink : station_->sinks()) consider(sink->state(cls));
    } else {
      for (auto* peer : peers) {
        consider(peer->scheduler().state(cls));
        status.bytes_in_flight += peer->outgoing().in_flight_bytes(cls);
        if (const auto* plan = program_.plan(peer->status().name);
            plan && *plan && i < (*plan)->status.classes.size())
          status.hold_reason = (*plan)->status.classes[i].hold_reason;
      }
    }
    status.paused = paused_[i];
    if (status.paused) status.hold_reason = "paused by the operator";
    classes.push_back(std::move(status));
  }
  return classes;
}

std::vector<web::LinkView> Desk::link_views(const std::vector<link::LinkPeer*>& peers) {
  std::vector<web::LinkView> views;
  for (std::size_t i = 0; i < peers.size(); ++i) {
    web::LinkView view;
    view.link = peers[i]->status();
    if (const auto state = program_.link_state(i); !state.empty() && view.link.state == "down")
      view.link.state = state;
    if (auto today = figures_.today.find(view.link.name); today != figures_.today.end()) {
      view.wire_up_today = today->second.wire_up;
      view.wire_down_today = today->second.wire_down;
    }
    if (const auto* plan = program_.plan(view.link.name); plan && *plan)
      view.plan =
          web::LinkPlan{(*plan)->name, (*plan)->currency, (*plan)->zone, (*plan)->status, (*plan)->forecast};
    views.push_back(std::move(view));
  }
  return views;
}

web::Status Desk::status() {
  const auto peers = program_.peers();
  const BootTime now = station_->clock().now();
  web::Status status;
  status.name = program_.name;
  status.at = now;
  status.uptime = now - started_;
  status.clock_trusted = station_->clock().trusted();
  status.mesh = program_.mesh();
  status.mesh.accepted_last_minute = accepted_last_minute();
  for (const auto& row : figures_.books)
    (row.edge == program_.edge_is_main ? status.ledger : status.back) += row.book;
  status.classes = class_status(peers);
  status.links = link_views(peers);
  const auto health = station_->store_health();
  status.store = {.ok = health.ok,
                  .bytes = figures_.size,
                  .max_bytes = static_cast<std::int64_t>(station_->options().storage.max_size),
                  .problem = health.problem,
                  .note = station_->store_note(),
                  .written = station_->disk_writes().total(),
                  .written_today = station_->disk_writes().today()};
  for (const auto* peer : peers) status.store.unstored += static_cast<std::int64_t>(peer->unstored());
  for (std::size_t i = 0; i < station_->sinks().size(); ++i) {
    const auto sink = station_->sinks()[i]->status();
    status.sinks.push_back({station_->sink_names()[i], sink.connected, static_cast<std::int64_t>(sink.queued),
                            sink.note, sink.forbidden > 0});
  }
  status.gateways = program_.gateways();
  if (delivered_at_) status.last_delivered = now - *delivered_at_;
  std::tie(status.ok, status.verdict) = program_.verdict(status);
  if (!status.store.note.empty()) status.verdict += " " + status.store.note;
  return status;
}

std::vector<std::string> Desk::class_names() {
  std::vector<std::string> names;
  for (const auto& cls : station_->options().classes) names.push_back(cls.name);
  return names;
}

std::string Desk::unhealthy() {
  const auto health = station_->store_health();
  if (!health.ok) return fmt::format("the store fails: {}", health.problem);
  const auto mesh = program_.mesh();
  if (program_.edge_is_main || mesh.connected) return {};
  return fmt::format("the mesh's broker is not connected{}{}", mesh.note.empty() ? "" : ": ", mesh.note);
}

web::MessageView Desk::view(queue::Story story) const {
  web::MessageView view;
  if (story.accepted_wall && station_->clock().trusted())
    view.age = std::max(Millis{0}, station_->clock().wall().time_since_epoch() - Millis{*story.accepted_wall});
  if (!story.edge)
    for (auto* peer : program_.peers())
      if (peer->name() == story.peer) view.link = peer->status().name;
  view.story = std::move(story);
  return view;
}

void Desk::messages(const queue::StoryFilter& filter, web::Done<std::vector<web::MessageView>> done) {
  station_->runner().query([filter](queue::StoreReader& reader) { return reader.list(filter); },
                           [this, done = std::move(done)](Result<std::vector<queue::Story>> stories) {
                             if (!stories) return done(unavailable(stories.error()));
                             std::vector<web::MessageView> views;
                             for (auto& story : *stories) views.push_back(view(std::move(story)));
                             done(std::move(views));
                           });
}

void Desk::story(queue::MessageId id, web::Done<web::MessageView> done) {
  station_->runner().query(
      [id](queue::StoreReader& reader) { return reader.story(id); },
      [this, id, done = std::move(done)](Result<std::optional<queue::Story>> story) {
        if (!story) return done(unavailable(story.error()));
        if (!*story)
          return done(web::Failure{web::Failure::Kind::kNotFound, fmt::format("there is no message {}", id)});
        done(view(std::move(**story)));
      });
}

void Desk::send(web::SendRequest request, web::Done<queue::MessageId> done) {
  auto route = program_.route(request.topic);
  if (!route) return done(web::Failure{web::Failure::Kind::kInvalid, route.error().message});
  const auto& [peer, topic] = *route;
  auto message = station_->judge(topic, std::move(request.payload));
  message.peer = peer;
  message.drop = queue::DropReason::kNone;
  if (message.node.empty()) message.node = "operator";
  if (!request.cls.empty()) message.cls = *station_->class_named(request.cls);
  station_->runner().write(
      [message](queue::Store& store) { return store.accept(std::span(&message, 1)); },
      [this, peer = peer, done = std::move(done)](Result<std::vector<queue::Accepted>> accepted) {
        if (!accepted) return done(unavailable(accepted.error()));
        if (accepted->front().duplicate)
          return done(
              web::Failure{web::Failure::Kind::kConflict, "this packet was accepted before: it is a copy"});
        program_.accepted(*accepted, peer);
        done(queue::MessageId{accepted->front().entry.id});
      });
}

void Desk::find_queued(queue::MessageId id, std::function<bool(link::LinkPeer&)> act,
                       std::function<bool()> at_sinks, web::Done<void> done) {
  for (auto* peer : program_.peers()) {
    if (!act(*peer)) continue;
    changed();
    return done(web::Outcome<void>());
  }
  if (at_sinks()) {
    changed();
    return done(web::Outcome<void>());
  }
  story(id, [id, done = std::move(done)](web::Outcome<web::MessageView> found) {
    if (!found) return done(found.error());
    const auto& story = found->story;
    const bool owed = story.edge && story.state == queue::State::kQueued;
    done(web::Failure{
        web::Failure::Kind::kConflict,
        owed ? fmt::format("message {} is on its way to a broker here: only what waits can be changed", id)
             : fmt::format("message {} is {}: only what waits can be changed", id,
                           queue::to_string(story.state))});
  });
}

void Desk::reclassify(queue::MessageId id, std::string cls, web::Done<void> done) {
  const auto to = *station_->class_named(cls);
  find_queued(
      id, [id, to](link::LinkPeer& peer) { return peer.reclassify(id, to); },
      [this, id, to] { return station_->reclassify_at_sinks(id, to); }, std::move(done));
}

void Desk::drop(queue::MessageId id, web::Done<void> done) {
  find_queued(
      id, [id](link::LinkPeer& peer) { return peer.drop(id); },
      [this, id] { return station_->drop_at_sinks(id); }, std::move(done));
}

web::Outcome<void> Desk::pause(const std::string& cls, bool paused) {
  const auto found = station_->class_named(cls);
  if (!found) return web::Failure{web::Failure::Kind::kNotFound, fmt::format("there is no class `{}`", cls)};
  if (*found == queue::kEmergency)
    return web::Failure{web::Failure::Kind::kConflict,
                        "the emergency class cannot be paused: an SOS is untouchable"};
  paused_[*found] = paused;
  for (auto* peer : program_.peers()) peer->scheduler().pause(*found, paused);
  // At the gateway a class is paused to save the link; what comes down has been paid for.
  if (program_.edge_is_main)
    for (const auto& sink : station_->sinks()) sink->pause(*found, paused);
  wake_();
  if (renewed_) renewed_();
  return {};
}

void Desk::usage(const web::UsageQuery& query, web::Done<std::vector<queue::UsageRow>> done) {
  station_->runner().query(
      [query](queue::StoreReader& reader) {
        return reader.usage(query.resolution, query.from, query.to, query.by);
      },
      [done = std::move(done)](Result<std::vector<queue::UsageRow>> rows) {
        if (!rows) return done(unavailable(rows.error()));
        done(std::move(*rows));
      });
}

}  // namespace tulpar
