// SPDX-License-Identifier: Apache-2.0
#include "gateway/web/backend.hpp"

namespace tulpar::web {

void Backend::reading(const Reading&, Done<void> done) {
  done(Failure{Failure::Kind::kNotSupported, "readings of the provider are not available in this version"});
}

void Backend::allow(const Allowance&, Done<void> done) {
  done(Failure{Failure::Kind::kNotSupported, "allowances beyond the plan are not available in this version"});
}

}  // namespace tulpar::web
