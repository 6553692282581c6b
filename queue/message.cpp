// SPDX-License-Identifier: Apache-2.0
#include "queue/message.hpp"

namespace tulpar::queue {

const char* to_string(State state) {
  switch (state) {
    case State::kQueued:
      return "queued";
    case State::kInFlight:
      return "in-flight";
    case State::kDelivered:
      return "delivered";
    case State::kExpired:
      return "expired";
    case State::kConflated:
      return "conflated";
    case State::kDropped:
      return "dropped";
  }
  return "unknown";
}

const char* to_string(DropReason reason) {
  switch (reason) {
    case DropReason::kNone:
      return "";
    case DropReason::kOperator:
      return "operator";
    case DropReason::kStoreFull:
      return "store-full";
    case DropReason::kTooLarge:
      return "too-large";
    case DropReason::kPolicy:
      return "policy";
    case DropReason::kRefused:
      return "refused";
    case DropReason::kConsent:
      return "consent";
    case DropReason::kUnreadable:
      return "unreadable";
    case DropReason::kUnknownGateway:
      return "unknown-gateway";
  }
  return "unknown";
}

}  // namespace tulpar::queue
