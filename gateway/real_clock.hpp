// SPDX-License-Identifier: Apache-2.0
//
// The machine's clocks. Any thread.
#pragma once

#include "config/base.hpp"

namespace tulpar {

class RealClock : public Clock {
 public:
  RealClock();
  BootTime now() const override;
  WallTime wall() const override;
  // Believed when the kernel says that something disciplines it (NTP; adjtimex without STA_UNSYNC), or, where
  // nothing ever does, when it is not before this program was built: a router without a clock boots in 1970 or
  // in its image's year.
  bool trusted() const override;
  std::string boot_id() const override { return boot_id_; }

 private:
  std::string boot_id_;
};

}  // namespace tulpar
