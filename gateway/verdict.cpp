// SPDX-License-Identifier: Apache-2.0
#include "gateway/verdict.hpp"

#include <fmt/format.h>

#include "config/units.hpp"
#include "queue/cycle.hpp"

namespace tulpar {
namespace {

std::string span(Millis age) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(age).count();
  if (seconds < 120) return fmt::format("{} s", seconds);
  if (seconds < 7200) return fmt::format("{} min", seconds / 60);
  if (seconds < 48 * 3600) return fmt::format("{} h", seconds / 3600);
  return fmt::format("{} days", seconds / 86'400);
}

std::string waiting(const web::Status& status) {
  if (status.ledger.queued == 0) return "Nothing is waiting.";
  return status.ledger.queued == 1 ? "One message is waiting."
                                   : fmt::format("{} messages are waiting.", status.ledger.queued);
}

std::string unstored(const web::Status& status) {
  if (status.store.unstored == 0) return "; an SOS still goes";
  return fmt::format("; {} SOS in memory", status.store.unstored);
}

std::string quota(const web::Status& status) {
  for (const auto& link : status.links) {
    if (!link.plan) continue;
    const auto& plan = link.plan->figures;
    const int left = static_cast<int>(plan.percent >= 100 ? 0 : 100 - plan.percent);
    if (plan.state == queue::PlanState::kRed) return " The quota is used up: only emergencies go.";
    if (link.plan->forecast && link.plan->forecast->runs_out)
      return fmt::format(" {} % of the quota is left; at this pace it runs out on {}.", left,
                         queue::day_in_words(*link.plan->forecast->runs_out, link.plan->zone));
    return fmt::format(" {} % of the quota is left, enough until it resets on {}.", left,
                       queue::day_in_words(plan.resets_at, link.plan->zone));
  }
  return " No plan is set: bytes are counted, nothing is limited.";
}

}  // namespace

std::pair<bool, std::string> gateway_verdict(const web::Status& status, const std::string& link_problem) {
  if (!status.store.ok)
    return {false, fmt::format("The disk fails: {}. Messages are not acknowledged until it works again{}.",
                               status.store.problem, unstored(status))};
  if (!status.mesh.connected)
    return {false, fmt::format("The mesh's broker cannot be reached{}{}.", status.mesh.note.empty() ? "" : ": ",
                               status.mesh.note)};
  const bool up = !status.links.empty() && status.links.front().link.state == "up";
  if (!up) {
    const std::string why =
        link_problem.empty() && !status.links.empty() ? status.links.front().link.note : link_problem;
    return {false, fmt::format("No link to the relay{}{}. {} Everything is kept.", why.empty() ? "" : ": ", why,
                               waiting(status))};
  }
  const std::string last = status.last_delivered ? fmt::format(" Last message reached the internet {} ago.",
                                                               span(*status.last_delivered))
                                                 : "";
  return {true, fmt::format("Working.{} {}{}", last, waiting(status), quota(status))};
}

std::pair<bool, std::string> relay_verdict(const web::Status& status) {
  if (!status.store.ok) return {false, fmt::format("The disk fails: {}.", status.store.problem)};
  for (const auto& sink : status.sinks)
    if (!sink.connected)
      return {false, fmt::format("The sink {} cannot be reached{}{}. {} Everything is kept.", sink.name,
                                 sink.note.empty() ? "" : ": ", sink.note, waiting(status))};
  for (const auto& sink : status.sinks)
    if (sink.refusing)
      return {false, fmt::format("The sink {} does not take everything: {}.", sink.name, sink.note)};
  std::size_t connected = 0;
  for (const auto& gateway : status.gateways) connected += gateway.connected ? 1 : 0;
  if (status.gateways.empty())
    return {true, "Working. No gateway is enrolled yet: `tulpar enrol NAME --address HOST:PORT`."};
  return {true, fmt::format("Working. {} of {} gateways connected. {}", connected, status.gateways.size(),
                            waiting(status))};
}

}  // namespace tulpar
