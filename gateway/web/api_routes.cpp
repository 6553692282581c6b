// SPDX-License-Identifier: Apache-2.0
//
// Every address that the API serves; openapi.json describes the same ones, and a test compares the two.
#include <vector>

#include "gateway/web/api.hpp"

namespace tulpar::web {
namespace {

constexpr std::size_t kSmall = 4096;
// config::kMaxPayload in base64, with a topic and room for what the client likes to add.
constexpr std::size_t kMessage = 2 << 20;

}  // namespace

std::span<const Api::Entry> Api::entries() {
  static constexpr Entry kEntries[] = {
      {{"GET", "/healthz", true, 0}, &Api::get_health},
      {{"GET", "/metrics", false, 0}, &Api::get_metrics},
      {{"GET", "/api/v1/openapi.json", false, 0}, &Api::get_openapi},
      {{"GET", "/api/v1/session", false, 0}, &Api::get_session},
      {{"POST", "/api/v1/session", true, kSmall}, &Api::post_session},
      {{"DELETE", "/api/v1/session", false, 0}, &Api::delete_session},
      {{"DELETE", "/api/v1/sessions", false, 0}, &Api::delete_sessions},
      {{"POST", "/api/v1/codes", false, kSmall}, &Api::post_codes},
      {{"GET", "/api/v1/status", false, 0}, &Api::get_status},
      {{"GET", "/api/v1/live", false, 0}, &Api::get_live},
      {{"GET", "/api/v1/messages", false, 0}, &Api::get_messages},
      {{"POST", "/api/v1/messages", false, kMessage}, &Api::post_messages},
      {{"GET", "/api/v1/messages/{id}", false, 0}, &Api::get_message},
      {{"PATCH", "/api/v1/messages/{id}", false, kSmall}, &Api::patch_message},
      {{"DELETE", "/api/v1/messages/{id}", false, 0}, &Api::delete_message},
      {{"POST", "/api/v1/classes/{name}/pause", false, kSmall}, &Api::post_pause},
      {{"POST", "/api/v1/classes/{name}/resume", false, kSmall}, &Api::post_resume},
      {{"GET", "/api/v1/usage", false, 0}, &Api::get_usage},
      {{"GET", "/api/v1/plan", false, 0}, &Api::get_plan},
      {{"POST", "/api/v1/plan/reading", false, kSmall}, &Api::post_reading},
      {{"POST", "/api/v1/plan/allow", false, kSmall}, &Api::post_allow},
  };
  return kEntries;
}

std::span<const Api::Route> Api::routes() {
  static const auto kRoutes = [] {
    std::vector<Route> routes;
    for (const auto& entry : entries()) routes.push_back(entry.route);
    return routes;
  }();
  return kRoutes;
}

}  // namespace tulpar::web
