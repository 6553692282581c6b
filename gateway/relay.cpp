// SPDX-License-Identifier: Apache-2.0
#include "gateway/relay.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <boost/asio/steady_timer.hpp>
#include <utility>

#include "bridge/audience.hpp"
#include "config/load.hpp"
#include "gateway/daemon.hpp"
#include "gateway/desk.hpp"
#include "gateway/gateways.hpp"
#include "gateway/ingest.hpp"
#include "gateway/link/transport/tls.hpp"
#include "gateway/start.hpp"
#include "gateway/verdict.hpp"
#include "gateway/waker.hpp"
#include "gateway/web/http_server.hpp"

namespace tulpar {
namespace {

// Where pacing towards a gateway starts; it is measured from then on. A thin link's own window holds more back
// soon.
constexpr std::uint64_t kStartRate = 64'000;

StationOptions station_options(const config::Relay& config) {
  return {config.state_dir, config.channels, config.rules, config.classes, config.storage};
}

class RelayProgram {
 public:
  RelayProgram(std::string file, config::Relay config)
      : file_(std::move(file)),
        config_(std::move(config)),
        station_(loop_, station_options(config_), [this] { waker_.kick(); }),
        waker_(
            loop_, station_.clock(), [this] { step(); }, [this] { return next_wake(); }),
        keys_(std::make_shared<bridge::meshtastic::KeyRing>(
            bridge::meshtastic::KeyRing::create(config_.channels).value())),
        book_(config_.state_dir),
        gateways_(
            station_, book_,
            {.arrived = [this](const auto& name, const auto& accepted) { station_.deliver(name, accepted); },
             .loaded = [this](link::LinkPeer& peer) { desk_.joined(peer); },
             .changed = [this] { desk_.changed(); },
             .wake = [this] { waker_.kick(); }}),
        desk_(station_, program(), [this] { waker_.kick(); }),
        daemon_(loop_, {.stop = [this] { stop(); }, .reload = [this] { reload(); }}) {
    start_sinks();
  }

  int run() {
    loop_.run();
    return 0;
  }

 private:
  void start_sinks() {
    std::vector<std::string> names;
    for (const auto& sink : config_.sinks) names.push_back(sink.name);
    station_.open_sinks(
        names,
        [this](std::size_t index, int bit) {
          const auto& sink = config_.sinks[index];
          auto options = station_.sink_options(bridge::sink_options(sink, client_id("sink", index)), bit);
          options.prefix = sink.prefix;
          options.own_name = config_.name;
          options.may_leave = [sink, keys = keys_](const queue::Entry& entry, const queue::EdgeBody& message) {
            return bridge::may_leave(sink, *keys, entry.cls, message.body.topic, message.body.payload);
          };
          options.changed = [this] { desk_.changed(); };
          return std::make_unique<bridge::MqttSink>(loop_, station_.clock(), station_.runner(),
                                                    std::move(options));
        },
        [this] { gateways_.load_all([this] { start_sources(); }); });
  }

  void start_sources() {
    for (std::size_t i = 0; i < config_.sources.size(); ++i) {
      const auto& source = config_.sources[i];
      const std::string name = client_id("source", i);
      auto ingest = std::make_shared<Ingest>(
          station_, name,
          [this, prefix = source.prefix](queue::NewMessage& message) { return address(message, prefix); },
          [this](const auto& accepted, const auto& messages) { on_accepted(accepted, messages); });
      station_.runner().write(
          [name](queue::Store& store) { return store.marks(name); },
          [this, ingest, name, &source](Result<std::vector<queue::BrokerMark>> marks) {
            sources_.push_back(std::make_unique<bridge::MqttSource>(
                loop_,
                bridge::MqttSource::Options{
                    bridge::source_options(source, name, {gateway_filter(source.prefix)}), false,
                    redelivery_marks(marks.value())},
                [ingest](auto group, auto done) { ingest->take(std::move(group), std::move(done)); }));
            sources_.back()->start();
          });
    }
    for (const auto& sink : station_.sinks()) sink->start();
    listener_ = std::make_unique<link::TlsListener>(
        loop_, station_.clock(), config_.listen.tls, link::TlsOptions{.rate_bps = kStartRate},
        [this](std::string_view key) { return book_.find_key(key); },
        [this](const std::string& name, std::shared_ptr<link::Transport> transport) {
          gateways_.attach(name, std::move(transport));
        });
    web_ = web::HttpServer::start(loop_.get_executor(),
                                  {.name = config_.name, .state_dir = config_.state_dir, .web = config_.web},
                                  desk_, station_.clock())
               .value();
    desk_.on_renewed([this] {
      if (web_) web_->status_changed();
    });
    daemon_.ready(fmt::format("tulpar relay {}: {}", config_.name, web_->url()));
    waker_.kick();
  }

  // Whose mesh a message is for, by its topic; what is left of the topic is the topic there.
  Ingest::Way address(queue::NewMessage& message, const std::string& prefix) {
    auto found = split_gateway(prefix, message.topic);
    if (!found) return Ingest::Way::kNobody;
    const auto peer = gateways_.find(found->first);
    if (!peer && gateways_.loading(found->first)) return Ingest::Way::kLater;
    message = station_.judge(found->second, std::move(message.payload));
    // Unlike at the mesh, no policy says what may not be carried; but the link has its limit.
    if (message.drop != queue::DropReason::kTooLarge) message.drop = queue::DropReason::kNone;
    if (peer) {
      message.peer = peer->id();
      return Ingest::Way::kStored;
    }
    // Once for each in a row: strangers may publish much.
    if (std::exchange(unknown_gateway_, found->first) != found->first)
      spdlog::warn("a message for the gateway `{}`, which is not enrolled here, is dropped", found->first);
    message.drop = queue::DropReason::kUnknownGateway;
    message.packet = 0;  // here it is nobody's copy
    return Ingest::Way::kStored;
  }

  void on_accepted(const std::vector<queue::Accepted>& accepted,
                   const std::vector<queue::NewMessage>& messages) {
    for (std::size_t i = 0; i < accepted.size(); ++i)
      if (accepted[i].entry.id) gateways_.add(messages[i].peer, accepted[i]);
    desk_.count_accepted(accepted);
  }

  std::string client_id(const char* what, std::size_t index) const {
    return fmt::format("tulpar-{}-{}-{}", config_.name, what, index);
  }

  Desk::Program program() {
    return {.name = config_.name,
            .edge_is_main = true,
            .peers = [this] { return gateways_.peers(); },
            .mesh = [this] { return broker_status(); },
            .gateways = [this] { return gateways_.views(); },
            .link_state = [](std::size_t) { return std::string(); },
            .plan = [](const std::string&) -> const std::optional<PlanFigures>* { return nullptr; },
            .route = [this](const std::string& topic) { return route(topic); },
            .accepted =
                [this](const auto& accepted, queue::PeerId peer) {
                  for (const auto& one : accepted)
                    if (one.entry.id) gateways_.add(peer, one);
                },
            .verdict = [](const web::Status& status) { return relay_verdict(status); }};
  }

  Result<std::pair<queue::PeerId, std::string>> route(const std::string& topic) {
    const auto slash = topic.find('/');
    auto* peer = gateways_.find(topic.substr(0, slash));
    if (!peer || slash == topic.npos || slash + 1 == topic.size())
      return Error{"at a relay the topic begins with an enrolled gateway's name: GATEWAY/TOPIC"};
    return std::pair{peer->id(), topic.substr(slash + 1)};
  }

  web::MeshStatus broker_status() {
    web::MeshStatus status{.connected = true, .durable = true, .note = {}, .accepted_last_minute = 0};
    for (const auto& source : sources_) {
      const auto one = source->status();
      status.connected = status.connected && one.connected;
      status.durable = status.durable && one.durable;
      if (!one.note.empty()) status.note = one.note;
    }
    return status;
  }

  void step() {
    if (stopping_) return;
    station_.step(gateways_.peers());
    gateways_.step();
    desk_.step();
  }

  std::optional<BootTime> next_wake() const {
    if (stopping_) return std::nullopt;
    return earliest({station_.next_wake(), gateways_.next_wake(), desk_.next_wake()});
  }

  void reload() {
    auto loaded = config::load_relay(file_);
    report_problems(loaded.problems);
    if (!loaded.ok()) return spdlog::error("{} has errors: the old configuration stays in force", file_);
    if (auto changed = station_.reconfigure(loaded.value->channels, loaded.value->rules, loaded.value->classes);
        !changed)
      return spdlog::error("the old configuration stays in force: {}", changed.error().message);
    *keys_ = bridge::meshtastic::KeyRing::create(station_.options().channels).value();
    for (auto* peer : gateways_.peers()) peer->scheduler().set_policy(station_.options().classes);
    spdlog::info("channels, rules and classes are read again; everything else waits for a restart");
    waker_.kick();
  }

  void stop() {
    stopping_ = true;
    waker_.stop();
    listener_.reset();
    for (auto& source : sources_) source->stop();
    for (const auto& sink : station_.sinks()) sink->stop();
    web_.reset();
    gateways_.stop([this] { loop_.stop(); });
  }

  std::string file_;
  config::Relay config_;
  boost::asio::io_context loop_;
  Station station_;
  Waker waker_;
  std::shared_ptr<bridge::meshtastic::KeyRing> keys_;
  link::EnrolmentBook book_;
  std::string unknown_gateway_;  // last told of in the log
  Gateways gateways_;
  Desk desk_;
  Daemon daemon_;
  std::vector<std::unique_ptr<bridge::MqttSource>> sources_;
  std::unique_ptr<link::TlsListener> listener_;
  std::unique_ptr<web::HttpServer> web_;
  bool stopping_ = false;
};

}  // namespace

int run_relay(const std::string& config_file) {
  set_up_log();
  auto loaded = config::load_relay(config_file);
  report_problems(loaded.problems);
  if (!loaded.ok()) return 1;
  return RelayProgram(config_file, std::move(*loaded.value)).run();
}

}  // namespace tulpar
