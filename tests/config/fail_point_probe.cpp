// SPDX-License-Identifier: Apache-2.0
//
// Passes a few fail points and says how far it came, for fail_point_test.cpp.
#include <cstdio>

#include "config/fail_point.hpp"

int main() {
  for (int n = 0; n < 3; ++n) {
    TULPAR_FAIL_POINT("store.commit");
    std::puts("committed");
    std::fflush(stdout);
  }
  TULPAR_FAIL_POINT("sink.noted");
  std::puts("end");
}
