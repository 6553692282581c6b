// SPDX-License-Identifier: Apache-2.0
#include "bridge/redelivery.hpp"

namespace tulpar::bridge {

Redelivery::Redelivery(std::size_t most, const std::vector<Mark>& stored) : most_(most) {
  for (const Mark& mark : stored) this->stored(mark);
}

void Redelivery::connected(bool resumed) {
  expected_.clear();
  if (!resumed) recent_.clear();
  for (const Mark& mark : recent_) expected_[mark.mid] = mark.fingerprint;
  left_ = expected_.empty() ? 0 : most_;
}

bool Redelivery::is_copy(const Mark& mark) {
  if (mark.mid == 0 || left_ == 0) return false;
  const auto found = expected_.find(mark.mid);
  const bool copy = found != expected_.end() && found->second == mark.fingerprint;
  // An identifier that is used anew was acknowledged; one that was redelivered comes once.
  if (found != expected_.end()) expected_.erase(found);
  if (--left_ == 0) expected_.clear();
  return copy;
}

void Redelivery::stored(const Mark& mark) {
  if (mark.mid == 0) return;
  recent_.push_back(mark);
  if (recent_.size() > most_) recent_.pop_front();
}

}  // namespace tulpar::bridge
