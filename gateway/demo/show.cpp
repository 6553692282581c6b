// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/show.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <utility>

#include "gateway/demo/village.hpp"

namespace tulpar::demo {
namespace {

constexpr Millis kFirstSos = std::chrono::seconds(10);
constexpr Millis kPatience = std::chrono::seconds(10);
constexpr Millis kPoll{50};

// The backlog keeps the plain bridge busy for five minutes, at the bytes up that it needs for a message while
// many wait (measured: 1,333 in 207 s at 9600 bit/s), as far as an outage may last ("five days: plan for both")
// and a terminal's onlooker waits for it to be published.
constexpr double kBridgeSeconds = 300, kBridgeBytes = 186, kMostMessages = 10'000;
constexpr double kHour = 3'600'000, kLongest = 120 * kHour;  // milliseconds

Millis outage(const DemoOptions& options) {
  const double messages =
      std::min(static_cast<double>(options.rate) / 8 * kBridgeSeconds / kBridgeBytes, kMostMessages);
  const double hours = messages / MeshSimulator::messages_per_hour(options.nodes);
  return Millis(std::llround(std::min(hours * kHour, kLongest)));
}

MeshSimulator make_mesh(const DemoOptions& options, const Clock& clock) {
  const Millis away = outage(options);
  const Millis lived(std::llround(static_cast<double>(away.count()) / options.plan_speed));
  return {{.nodes = options.nodes, .seed = options.seed, .speed = options.plan_speed},
          clock.now() - lived,
          clock.wall() - away};
}

std::string_view kind_name(MeshKind kind) {
  switch (kind) {
    case MeshKind::kPosition:
      return "position";
    case MeshKind::kDeviceMetrics:
      return "battery";
    case MeshKind::kEnvironment:
      return "weather";
    case MeshKind::kLocalStats:
      return "radio statistics";
    case MeshKind::kPower:
      return "power";
    case MeshKind::kNodeInfo:
      return "node info";
    default:
      return "encrypted for others";
  }
}

std::string time_of_day(WallTime wall) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(wall);
  std::tm local{};
  localtime_r(&seconds, &local);
  return fmt::format("{:%H:%M:%S}", local);
}

}  // namespace

Show::Show(boost::asio::io_context& io, const Clock& clock, const DemoOptions& options)
    : io_(io), clock_(clock), options_(options), random_(options.seed), mesh_(make_mesh(options, clock)) {
  for (std::size_t i = 0; i < mesh_.size(); ++i) names_.emplace(mesh_.node(i).number(), mesh_.node(i).name());
}

Show::~Show() {
  // A gateway says goodbye to its relay, and nothing would carry that any more: better it sees the link gone.
  tulpar_link_.reset();
  bridge_link_.reset();
  if (tulpar_) tulpar_->terminate();
  if (bridge_) bridge_->terminate();
}

Result<std::unique_ptr<Show>> Show::start(boost::asio::io_context& io, const Clock& clock,
                                          const DemoOptions& options, const std::string& program,
                                          const std::stop_token& stop) {
  std::unique_ptr<Show> show(new Show(io, clock, options));
  if (auto started = show->start_parts(program, stop); !started) return started.error();
  show->began_ = clock.now();
  const auto backlog = show->mesh_.step(show->began_);
  show->backlog_ = backlog.size();
  for (const MeshMessage& message : backlog) show->publish(message);
  return show;
}

Result<void> Show::start_parts(const std::string& program, const std::stop_token& stop) {
  const auto interrupted = [&] {
    io_.poll();
    return stop.stop_requested();
  };
  for (const auto& start : std::initializer_list<std::function<Result<void>()>>{
           [&] { return start_bridge(); }, [&] { return start_tulpar(program); },
           [&] { return start_lanes(); }}) {
    if (interrupted()) return Error{"interrupted"};
    if (auto started = start(); !started) return started;
  }
  const BootTime deadline = clock_.now() + kPatience;
  // The bridge has to dial first: see plain_bridge.hpp.
  const auto dialled = [this] { return bridge_link_->meter(Direction::kUp).packets > 0; };
  while (!tulpar_lane_->listening() || !bridge_lane_->listening() || !dialled()) {
    if (interrupted()) return Error{"interrupted"};
    if (clock_.now() > deadline) return Error{"the brokers do not answer"};
    io_.run_one_for(kPoll);
  }
  return {};
}

std::uint16_t Show::make_link(std::optional<LinkEmulator>& link, std::uint16_t target) {
  const LinkSettings settings{.rate_up = options_.rate,
                              .rate_down = options_.rate,
                              .delay = options_.delay,
                              .jitter = options_.delay / 10,
                              .loss = options_.loss};
  link.emplace(io_.get_executor(), clock_, settings, options_.seed, LinkTarget{.port = target});
  return link->port();
}

Result<void> Show::start_bridge() {
  auto bridge = PlainBridge::start([this](std::uint16_t port) { return make_link(bridge_link_, port); });
  if (!bridge) return bridge.error();
  bridge_ = std::move(*bridge);
  return {};
}

Result<void> Show::start_tulpar(const std::string& program) {
  const config::HostPort page = config::parse_host_port(options_.web).value();
  auto pair = TulparPair::start({.program = program, .rate = options_.rate, .page = page, .now = clock_.wall()},
                                [this](std::uint16_t port) { return make_link(tulpar_link_, port); });
  if (!pair) return pair.error();
  tulpar_ = std::move(*pair);
  plan_ = tulpar_->plan();
  watch_.emplace(io_.get_executor(), tulpar_->socket(), page_url(tulpar_->page()));
  return {};
}

Result<void> Show::start_lanes() {
  const auto connect = [this](const LanePlaces& places, Way way) {
    return Lane::connect(io_.get_executor(), places, mesh_.reply_topic(),
                         [this, way](MessageKey key) { races_.arrived(way, key, clock_.now()); });
  };
  auto tulpar = connect({.site_port = tulpar_->site_port(),
                         .net_port = tulpar_->net_port(),
                         .reply_prefix = fmt::format("down/{}/", kGatewayName),
                         .reply_prefix_at_site = ""},
                        Way::kTulpar);
  if (!tulpar) return tulpar.error();
  tulpar_lane_ = std::move(*tulpar);
  auto bridge = connect({.site_port = bridge_->site_port(),
                         .net_port = bridge_->net_port(),
                         .reply_prefix = "down/",
                         .reply_prefix_at_site = "down/"},
                        Way::kBridge);
  if (!bridge) return bridge.error();
  bridge_lane_ = std::move(*bridge);
  return {};
}

Result<void> Show::check_parts() const {
  if (!tulpar_->running()) return Error{"the gateway, the relay or one of their brokers has ended"};
  if (!bridge_->running()) return Error{"a broker of the plain bridge has ended"};
  if (!tulpar_lane_->connected() || !bridge_lane_->connected())
    return Error{"a broker does not answer any more"};
  return {};
}

Result<void> Show::step() {
  if (auto well = check_parts(); !well) return well;
  const BootTime now = clock_.now();
  for (const MeshMessage& message : mesh_.step(now)) publish(message);
  if (!first_sos_ && now - began_ >= kFirstSos) sos();
  return {};
}

// A broker that is gone is found by check_parts().
void Show::publish(const MeshMessage& message) {
  (void)tulpar_lane_->publish(message, describe(message));
  (void)bridge_lane_->publish(message, describe(message));
}

FeedLine Show::describe(const MeshMessage& message) const {
  const auto name = names_.find(message.from);
  const std::string who = name == names_.end() ? bridge::meshtastic::node_id(message.from) : name->second;
  const bool human = !message.words.empty();
  if (!human) return {.text = fmt::format("{}: {}", who, kind_name(message.kind))};
  const char* cry = message.kind == MeshKind::kSos ? "SOS, " : "";
  return {.text = fmt::format("{}: {}{}", who, cry, message.words), .human = true};
}

void Show::sos() {
  first_sos_ = true;
  const BootTime now = clock_.now();
  const std::size_t index = random_.below(mesh_.size());
  const MeshMessage message = mesh_.sos(now, index);
  races_.begin({.kind = RaceView::Kind::kSos,
                .key = key_of(message.payload),
                .at = now,
                .clock = time_of_day(clock_.wall()),
                .words = fmt::format("{}: {}", mesh_.node(index).name(), message.words),
                .tulpar_waiting = view(*tulpar_lane_, *tulpar_link_).waiting,
                .bridge_before = bridge_lane_->tally().published()});
  publish(message);
}

void Show::reply() {
  const BootTime now = clock_.now();
  const std::string_view text = village_reply(replies_++);
  const MeshMessage message = mesh_.reply(now, text);
  races_.begin({.kind = RaceView::Kind::kReply,
                .key = key_of(message.payload),
                .at = now,
                .clock = time_of_day(clock_.wall()),
                .words = std::string(text)});
  (void)tulpar_lane_->reply(message);
  (void)bridge_lane_->reply(message);
}

void Show::toggle_link() {
  for (LinkEmulator* link : {&*tulpar_link_, &*bridge_link_}) link->up() ? link->cut() : link->mend();
}

LaneView Show::view(const Lane& lane, const LinkEmulator& link) const {
  const GatewayFigures figures = &lane == tulpar_lane_.get() ? watch_->figures() : GatewayFigures{};
  LaneView view{.waiting = lane.tally().waiting(figures.conflated + figures.lost),
                .delivered = lane.tally().delivered(),
                .human = lane.tally().human(),
                .human_delivered = lane.tally().human_delivered(),
                .replaced = figures.conflated,
                .wire_up = link.meter(Direction::kUp).bytes,
                .wire_down = link.meter(Direction::kDown).bytes,
                .cost = 0,
                .flying = link.pending(Direction::kUp) > 0,
                .latest = lane.tally().latest()};
  view.cost = std::llround(static_cast<double>(view.wire()) / static_cast<double>(plan_.per) *
                           static_cast<double>(plan_.price));
  return view;
}

DemoState Show::state() const {
  const BootTime now = clock_.now();
  DemoState state;
  state.tulpar = view(*tulpar_lane_, *tulpar_link_);
  state.bridge = view(*bridge_lane_, *bridge_link_);
  state.races = races_.view(now, state.bridge.delivered);
  state.nodes = options_.nodes;
  state.rate = options_.rate;
  state.delay = options_.delay;
  state.loss = options_.loss;
  state.link_up = tulpar_link_->up();
  state.running = now - began_;
  state.backlog = backlog_;
  state.away = outage(options_);
  state.currency = plan_.currency;
  state.price_per_mb = std::llround(1e6 / static_cast<double>(plan_.per) * static_cast<double>(plan_.price));
  state.page = watch_->page();
  const config::HostPort wanted = config::parse_host_port(options_.web).value();
  if (wanted.port != 0 && wanted != tulpar_->page())
    state.page_note = fmt::format("({} is taken)", options_.web);
  return state;
}

}  // namespace tulpar::demo
