// SPDX-License-Identifier: Apache-2.0
//
// The one place where values become the API's JSON; the names are CONTRACT's and openapi.json's.
//
// Pure functions; any thread. Ages in seconds, sizes in bytes, instants in RFC 3339.
#pragma once

#include <string>
#include <vector>

#include "gateway/web/backend.hpp"

namespace tulpar::web {

std::string status_json(const Status& status);
// Per link: used, included, percent, cost ...; all null, and state "none", where a link has no plan.
std::string plan_json(const std::vector<LinkView>& links);
// `next`: what to ask for as `after`; 0: there are no more.
std::string messages_json(const std::vector<MessageView>& messages, queue::MessageId next);
std::string story_json(const MessageView& message);
std::string usage_json(const UsageQuery& query, std::string_view resolution,
                       const std::vector<queue::UsageRow>& rows);

}  // namespace tulpar::web
