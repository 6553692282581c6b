// SPDX-License-Identifier: Apache-2.0
#include "gateway/web/metrics.hpp"

#include <fmt/format.h>

#include <functional>

namespace tulpar::web {
namespace {

std::string escaped(std::string_view label) {
  std::string out;
  for (const char c : label) {
    if (c == '\\' || c == '"')
      (out += '\\') += c;
    else if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out;
}

// Samples of one name stand together below its HELP and TYPE, as the format demands.
class Exposition {
 public:
  void family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    out_ += fmt::format("# HELP tulpar_{} {}\n# TYPE tulpar_{} {}\n", name, help, name, type);
  }
  template <class T>
  void sample(T value, std::string_view labels = {}) {
    out_ += labels.empty() ? fmt::format("tulpar_{} {}\n", name_, value)
                           : fmt::format("tulpar_{}{{{}}} {}\n", name_, labels, value);
  }
  template <class T>
  void single(std::string_view name, std::string_view type, std::string_view help, T value) {
    family(name, type, help);
    sample(value);
  }
  // One sample an item, told apart by one label; nothing where `value` gives nothing.
  template <class Items, class Value>
  void each(std::string_view name, std::string_view type, std::string_view help, const Items& items,
            std::string_view label, Value value) {
    if (items.empty()) return;
    family(name, type, help);
    for (const auto& [key, item] : items)
      if (const std::optional<double> number = value(item))
        sample(*number, fmt::format("{}=\"{}\"", label, key));
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
  std::string_view name_;
};

template <class T>
using Labelled = std::vector<std::pair<std::string, std::reference_wrapper<const T>>>;

template <class T, class Name>
Labelled<T> labelled(const std::vector<T>& items, Name name) {
  Labelled<T> out;
  for (const auto& item : items) out.emplace_back(escaped(name(item)), item);
  return out;
}

double seconds(Millis duration) { return static_cast<double>(duration.count()) / 1000; }

void write_books(Exposition& out, const Status& status) {
  struct Column {
    const char *name, *type, *help;
    std::int64_t queue::Book::*figure;
  };
  static constexpr Column kColumns[] = {
      {"messages_accepted_total", "counter", "Messages accepted, by direction.", &queue::Book::accepted},
      {"messages_delivered_total", "counter", "Messages on the far side's disk.", &queue::Book::delivered},
      {"messages_expired_total", "counter", "Messages that outlived their class's time.",
       &queue::Book::expired},
      {"messages_conflated_total", "counter", "Messages that a later one replaced.", &queue::Book::conflated},
      {"messages_dropped_total", "counter", "Messages given up, each with a reason.", &queue::Book::dropped},
      {"messages_queued", "gauge", "Messages that wait or are in flight.", &queue::Book::queued},
      {"duplicates_total", "counter", "Copies recognised, outside the balance.", &queue::Book::duplicates},
  };
  for (const auto& column : kColumns) {
    out.family(column.name, column.type, column.help);
    out.sample(status.ledger.*column.figure, R"(direction="main")");
    out.sample(status.back.*column.figure, R"(direction="back")");
  }
}

void write_classes(Exposition& out, const Status& status) {
  const auto classes = labelled(status.classes, [](const ClassStatus& cls) { return cls.name; });
  const auto each = [&](const char* name, const char* type, const char* help, auto value) {
    out.each(name, type, help, classes, "class",
             [&](const ClassStatus& cls) { return std::optional<double>(value(cls)); });
  };
  each("class_queued", "gauge", "Messages of the class that wait or are in flight.",
       [](const ClassStatus& cls) { return static_cast<double>(cls.book.queued); });
  each("class_queued_bytes", "gauge", "Their topics and payloads.",
       [](const ClassStatus& cls) { return static_cast<double>(cls.queued_bytes); });
  each("class_delivered_total", "counter", "Messages of the class delivered.",
       [](const ClassStatus& cls) { return static_cast<double>(cls.book.delivered); });
  each("class_dropped_total", "counter", "Messages of the class dropped.",
       [](const ClassStatus& cls) { return static_cast<double>(cls.book.dropped); });
  each("class_expired_total", "counter", "Messages of the class expired.",
       [](const ClassStatus& cls) { return static_cast<double>(cls.book.expired); });
  each("class_paused", "gauge", "1 while an operator holds the class.",
       [](const ClassStatus& cls) { return cls.paused ? 1.0 : 0.0; });
  each("class_oldest_seconds", "gauge", "Age of the oldest message that waits; 0: none does.",
       [](const ClassStatus& cls) { return cls.oldest ? seconds(*cls.oldest) : 0; });
}

void write_links(Exposition& out, const Status& status) {
  const auto links = labelled(status.links, [](const LinkView& view) { return view.link.name; });
  const auto each = [&](const char* name, const char* type, const char* help, auto value) {
    out.each(name, type, help, links, "link", value);
  };
  using Maybe = std::optional<double>;
  const auto bytes = [&](const char* name, const char* help, std::int64_t queue::LinkBytes::*figure) {
    each(name, "counter", help, [=](const LinkView& v) { return Maybe(v.link.bytes.*figure); });
  };
  each("link_up", "gauge", "1 while the link carries.",
       [](const LinkView& v) { return Maybe(v.link.state == "up"); });
  each("link_rate_bps", "gauge", "Measured rate up, bits a second.",
       [](const LinkView& v) { return Maybe(v.link.rate_bps); });
  each("link_rtt_seconds", "gauge", "Round trip.",
       [](const LinkView& v) { return v.link.round_trip ? Maybe(seconds(*v.link.round_trip)) : Maybe(); });
  bytes("link_payload_up_bytes_total", "Topics and payloads sent.", &queue::LinkBytes::payload_up);
  bytes("link_frame_up_bytes_total", "Frames sent: packed and compressed.", &queue::LinkBytes::frame_up);
  bytes("link_wire_up_bytes_total", "Bytes at IP level, sent: what the provider counts.",
        &queue::LinkBytes::wire_up);
  bytes("link_wire_down_bytes_total", "Bytes at IP level, received.", &queue::LinkBytes::wire_down);
  bytes("link_session_opens_total", "Sessions opened.", &queue::LinkBytes::session_opens);
  each("link_inflight_bytes", "gauge", "Sent and not acknowledged.",
       [](const LinkView& v) { return Maybe(v.link.inflight_bytes); });
  each("plan_used_bytes", "gauge", "Used in this billing cycle.",
       [](const LinkView& v) { return v.plan ? Maybe(v.plan->figures.used) : Maybe(); });
  each("plan_included_bytes", "gauge", "Included in the plan.",
       [](const LinkView& v) { return v.plan ? Maybe(v.plan->figures.included) : Maybe(); });
  each("plan_cost", "gauge", "Cost so far in this cycle, in the plan's currency.", [](const LinkView& v) {
    return v.plan ? Maybe(static_cast<double>(v.plan->figures.cost) / 1e9) : Maybe();
  });
}

void write_sinks(Exposition& out, const Status& status) {
  const auto sinks = labelled(status.sinks, [](const SinkStatus& sink) { return sink.name; });
  out.each("sink_connected", "gauge", "1 while the sink is connected.", sinks, "sink",
           [](const SinkStatus& sink) { return std::optional<double>(sink.connected); });
  out.each("sink_lag", "gauge", "Messages that the sink is owed.", sinks, "sink",
           [](const SinkStatus& sink) { return std::optional<double>(sink.lag); });
}

void write_web(Exposition& out, const WebCounters& web) {
  out.single("http_requests_total", "counter", "Requests answered since the start.", web.requests);
  out.family("http_refused_total", "counter", "Requests refused since the start, by why.");
  out.sample(web.refused_input, R"(reason="input")");
  out.sample(web.refused_sign_in, R"(reason="sign-in")");
  out.sample(web.refused_access, R"(reason="access")");
  out.single("http_connections_total", "counter", "Connections accepted since the start.", web.connections);
  out.single("http_turned_away_total", "counter", "Connections beyond the limits or too slow.",
             web.turned_away);
  out.single("http_live_feeds", "gauge", "Pages that follow the status now.", web.live_feeds);
}

}  // namespace

std::string metrics_text(const Status& status, const WebCounters& web) {
  Exposition out;
  out.family("info", "gauge", "1, with name and version.");
  out.sample(1, fmt::format(R"(name="{}",version="{}")", escaped(status.name), TULPAR_VERSION));
  out.single("uptime_seconds", "gauge", "Time since the program's start.", seconds(status.uptime));
  out.single("clock_trusted", "gauge", "1 once the wall clock is believable.", int{status.clock_trusted});
  out.single("ok", "gauge", "1 while the verdict is good.", int{status.ok});
  out.single("mesh_connected", "gauge", "1 while the mesh's broker is connected.", int{status.mesh.connected});
  out.single("store_ok", "gauge", "1 while the store works.", int{status.store.ok});
  out.single("store_bytes", "gauge", "Size of the store.", status.store.bytes);
  out.single("store_max_bytes", "gauge", "Its limit.", status.store.max_bytes);
  out.single("store_unstored", "gauge", "Emergencies in memory, sent or to be sent, that are not on disk.",
             status.store.unstored);
  if (status.store.written)
    out.single("store_written_bytes_total", "counter", "Bytes written to storage since the start.",
               *status.store.written);
  write_books(out, status);
  write_classes(out, status);
  write_links(out, status);
  write_sinks(out, status);
  write_web(out, web);
  return out.take();
}

}  // namespace tulpar::web
