// SPDX-License-Identifier: Apache-2.0
//
// Catch2 2 (Debian 12) and 3 keep their headers in different places; tests include this one.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;
using namespace Catch::Matchers;
#else
#include <catch2/catch.hpp>
using namespace Catch::Matchers;
#endif
