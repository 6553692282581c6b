// SPDX-License-Identifier: Apache-2.0
#include "gateway/appliance.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "bridge/managed_broker.hpp"
#include "bridge/mqtt_listener.hpp"
#include "config/load.hpp"
#include "config/units.hpp"
#include "gateway/daemon.hpp"
#include "gateway/desk.hpp"
#include "gateway/dialer.hpp"
#include "gateway/ingest.hpp"
#include "gateway/start.hpp"
#include "gateway/verdict.hpp"
#include "gateway/waker.hpp"
#include "gateway/web/http_server.hpp"

namespace tulpar {
namespace {

// Silence after which TCP asks whether the other side still lives: 104 bytes each, and an idle hour stays below
// 1,350. Common NATs forget a silent TCP connection after 5 minutes to 2 hours.
constexpr std::chrono::seconds kKeepalive{300};

StationOptions station_options(const config::Gateway& config) {
  return {config.state_dir, config.channels, config.rules, config.classes, config.storage};
}

class Appliance {
 public:
  Appliance(std::string file, config::Gateway config)
      : file_(std::move(file)),
        config_(std::move(config)),
        station_(loop_, station_options(config_), [this] { waker_.kick(); }),
        waker_(
            loop_, station_.clock(), [this] { step(); }, [this] { return next_wake(); }),
        plan_(config_.links.front(), config_.classes, station_.runner(), station_.clock(),
              [this] { waker_.kick(); }),
        dialer_(loop_, station_.clock(), link::read_enrolment(config_.links.front().enrolment_file).value(),
                {.rate_bps = config_.links.front().rate, .keepalive = keepalive()}, [this] { waker_.kick(); }),
        desk_(station_, program(), [this] { waker_.kick(); }),
        daemon_(loop_, {.stop = [this] { stop(); }, .reload = [this] { reload(); }}) {
    if (config_.mqtt.managed()) {
      broker_ = bridge::ManagedBroker::create(loop_, config_.mqtt, config_.state_dir).value();
      broker_->start();
    }
    start_link();
  }

  int run() {
    loop_.run();
    return exit_code_;
  }

 private:
  std::chrono::seconds keepalive() const {
    return config_.links.front().downlink == config::Downlink::kAlways ? kKeepalive : std::chrono::seconds{0};
  }

  // Each step begins the next when its part of the store is loaded: nothing is accepted before the numbers are
  // known.
  void start_link() {
    link::PeerHooks hooks{
        .classify = [this](link::LinkMessage message) { return station_.judge_arrived(std::move(message)); },
        .arrived =
            [this](const auto& accepted) {
              station_.deliver("relay", accepted);
              plan_.changed();
              desk_.changed();
            },
        .unstored = [this](const auto& messages) { station_.deliver_unstored("relay", messages); },
        .settled =
            [this] {
              plan_.changed();
              desk_.changed();
            },
        .disconnected = [this](const std::string& why) { on_disconnected(why); },
        .wake = [this] { waker_.kick(); }};
    link::LinkPeer::load(
        station_.runner(), station_.codec(), station_.clock(),
        {.name = "relay", .link = config_.links.front().name, .classes = config_.classes, .initiator = true},
        std::move(hooks), [this](Result<std::unique_ptr<link::LinkPeer>> peer) {
          peer_ = std::move(peer.value());
          plan_.set_peer(peer_.get());
          dialer_.set_peer(peer_.get());
          start_sink();
        });
  }

  void start_sink() {
    station_.open_sinks(
        {"mesh"},
        [this](std::size_t, int bit) {
          auto options = station_.sink_options(sink_access(), bit);
          options.own_name = config_.name;
          options.changed = [this] { desk_.changed(); };
          return std::make_unique<bridge::MqttSink>(loop_, station_.clock(), station_.runner(),
                                                    std::move(options));
        },
        [this] { start_source(); });
  }

  // The mesh's broker as the sink of what comes down: no subscriptions, and no session that would keep
  // anything.
  bridge::MqttOptions sink_access() const {
    if (broker_) return broker_->sink_access();
    auto options = bridge::source_options(config_.mqtt, client_id("-down"));
    options.filters.clear();
    options.session_expiry = 0;
    return options;
  }

  void start_source() {
    ingest_ = std::make_unique<Ingest>(
        station_, "mesh",
        [this](queue::NewMessage& message) {
          message = station_.judge(message.topic, std::move(message.payload));
          message.peer = peer_->id();
          return Ingest::Way::kStored;
        },
        [this](const auto& accepted, const auto&) { on_accepted(accepted); }, &lifeline_);
    station_.runner().write(
        [](queue::Store& store) { return store.marks("mesh"); },
        [this](Result<std::vector<queue::BrokerMark>> marks) {
          source_ = std::make_unique<bridge::MqttSource>(
              loop_,
              bridge::MqttSource::Options{source_access(), config_.mqtt.managed(),
                                          redelivery_marks(marks.value())},
              [this](auto group, auto done) { on_group(std::move(group), std::move(done)); });
          source_->start();
          for (const auto& sink : station_.sinks()) sink->start();
          start_web();
        });
  }

  void on_group(std::vector<bridge::MqttMessage> group, bridge::MqttSource::Done done) {
    ingest_->take(std::move(group), std::move(done));
    waker_.kick();  // for the lifeline's patience
  }

  bridge::MqttOptions source_access() const {
    return broker_ ? broker_->source_access() : bridge::source_options(config_.mqtt, client_id(""));
  }

  Lifeline::Hooks lifeline_hooks() {
    return {.number = [this] { return peer_->number_aside(); },
            .send =
                [this](const queue::NewMessage& message) {
                  peer_->add_unstored(message);
                  desk_.changed();
                },
            .give_up = [this](std::uint64_t number) { peer_->give_up_aside(number); },
            .listen =
                [this](bool on) {
                  listener_.reset();
                  if (on)
                    listener_ = std::make_unique<bridge::MqttListener>(
                        loop_, source_access(),
                        [this](auto message) { ingest_->overhear(std::move(message)); });
                }};
  }

  // The broker keeps a session for each name: it must stay the same over restarts.
  std::string client_id(const char* suffix) const { return fmt::format("tulpar-{}{}", config_.name, suffix); }

  void start_web() {
    web_ = web::HttpServer::start(loop_.get_executor(),
                                  {.name = config_.name, .state_dir = config_.state_dir, .web = config_.web},
                                  desk_, station_.clock())
               .value();
    desk_.on_renewed([this] {
      if (web_) web_->status_changed();
    });
    daemon_.ready(fmt::format("tulpar gateway {}: {}", config_.name, web_->url()));
    waker_.kick();
  }

  void on_accepted(const std::vector<queue::Accepted>& accepted) {
    for (const auto& one : accepted)
      if (one.entry.id) peer_->add(one);
    desk_.count_accepted(accepted);
  }

  void on_disconnected(const std::string& why) {
    spdlog::info("link {}: down: {}", config_.links.front().name, why);
    dialer_.on_disconnected(peer_->was_refused());
    desk_.changed();
    if (stopping_) finish_stopping();
  }

  void step() {
    if (stopping_ || !peer_) return;
    station_.step({peer_.get()});
    plan_.step();
    lifeline_.step(station_.clock().now());
    peer_->step();
    dialer_.step();
    desk_.step();
  }

  std::optional<BootTime> next_wake() const {
    if (stopping_ || !peer_) return std::nullopt;
    return earliest({station_.next_wake(), plan_.next_wake(), lifeline_.next_wake(), peer_->next_wake(),
                     dialer_.next_wake(), desk_.next_wake()});
  }

  Desk::Program program() {
    return {
        .name = config_.name,
        .edge_is_main = false,
        .peers = [this] { return peer_ ? std::vector{peer_.get()} : std::vector<link::LinkPeer*>{}; },
        .mesh = [this] { return mesh_status(); },
        .gateways = [] { return std::vector<web::GatewayView>{}; },
        .link_state = [this](std::size_t) { return std::string(dialer_.dialling() ? "connecting" : ""); },
        .plan = [this](const std::string&) { return &plan_.figures(); },
        .route = [this](const std::string& topic) -> Result<std::pair<queue::PeerId, std::string>> {
          return std::pair{peer_->id(), topic};
        },
        .accepted = [this](const auto& accepted, queue::PeerId) { on_accepted(accepted); },
        .verdict = [this](const web::Status& status) { return gateway_verdict(status, dialer_.problem()); }};
  }

  web::MeshStatus mesh_status() {
    web::MeshStatus mesh;
    if (!source_) return mesh;
    const auto source = source_->status();
    mesh.connected = source.connected;
    mesh.durable = source.durable;
    mesh.note = source.note;
    if (!broker_) return mesh;
    const auto broker = broker_->status();
    if (!broker.loss.empty()) mesh.note = broker.loss;
    if (!broker.problem.empty() && (!broker.running || broker.loss.empty())) mesh.note = broker.problem;
    return mesh;
  }

  void reload() {
    auto loaded = config::load_gateway(file_);
    report_problems(loaded.problems);
    if (!loaded.ok()) return spdlog::error("{} has errors: the old configuration stays in force", file_);
    if (auto changed = station_.reconfigure(loaded.value->channels, loaded.value->rules, loaded.value->classes);
        !changed)
      return spdlog::error("the old configuration stays in force: {}", changed.error().message);
    if (peer_) peer_->scheduler().set_policy(station_.options().classes);
    plan_.set_classes(station_.options().classes);
    spdlog::info("channels, rules and classes are read again; everything else waits for a restart");
    waker_.kick();
  }

  void stop() {
    stopping_ = true;
    waker_.stop();
    dialer_.stop();
    if (source_) source_->stop();
    listener_.reset();
    for (const auto& sink : station_.sinks()) sink->stop();
    web_.reset();
    if (peer_ && peer_->connected()) return peer_->detach(link::ByeReason::kShuttingDown);
    finish_stopping();
  }

  // The link's last bytes are booked; what was submitted is committed when the station goes.
  void finish_stopping() {
    if (broker_) return broker_->stop([this] { loop_.stop(); });
    loop_.stop();
  }

  std::string file_;
  config::Gateway config_;
  boost::asio::io_context loop_;
  Station station_;
  Waker waker_;
  PlanKeeper plan_;
  LinkDialer dialer_;
  Desk desk_;
  Daemon daemon_;
  std::unique_ptr<bridge::ManagedBroker> broker_;
  std::unique_ptr<link::LinkPeer> peer_;
  Lifeline lifeline_{lifeline_hooks()};
  std::unique_ptr<Ingest> ingest_;
  std::unique_ptr<bridge::MqttSource> source_;
  std::unique_ptr<bridge::MqttListener> listener_;
  std::unique_ptr<web::HttpServer> web_;
  bool stopping_ = false;
  int exit_code_ = 0;
};

}  // namespace

int run_gateway(const std::string& config_file) {
  set_up_log();
  auto loaded = config::load_gateway(config_file);
  report_problems(loaded.problems);
  if (!loaded.ok()) return 1;
  return Appliance(config_file, std::move(*loaded.value)).run();
}

}  // namespace tulpar
