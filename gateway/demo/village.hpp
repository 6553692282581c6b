// SPDX-License-Identifier: Apache-2.0
//
// The invented people of the demo: a village in the mountains, cut off in winter. Names of nodes and what is
// said, in English, Russian and Kazakh.
//
// Pure functions, any thread. Views are into static storage.
#pragma once

#include <cstddef>
#include <string_view>

#include "gateway/demo/random.hpp"

namespace tulpar::demo {

// Degrees; a made-up spot in the Altai.
inline constexpr double kVillageLatitude = 49.2417;
inline constexpr double kVillageLongitude = 85.6130;
inline constexpr double kVillageAltitude = 870;  // metres

// Name of the `index`-th node, at most 24 bytes. Requires: index < village_name_count().
std::string_view village_name(std::size_t index);
std::size_t village_name_count();

// Something that someone writes, UTF-8, 1 to 175 bytes; mostly short, as people write.
std::string_view village_text(Random& random);
// Why the `nth` one cries for help, and what the rescuers answer; beginning with 0, the first ones in English,
// then all over again.
std::string_view village_emergency(std::size_t nth);
std::string_view village_reply(std::size_t nth);

}  // namespace tulpar::demo
