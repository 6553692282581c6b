// SPDX-License-Identifier: Apache-2.0
//
// Who may read what leaves through a sink: a private one takes everything, a public one only what its sender
// allowed.
//
// Pure; thread rule: that of the KeyRing.
#pragma once

#include <string_view>

#include "bridge/meshtastic/crypto.hpp"
#include "config/types.hpp"
#include "queue/message.hpp"

namespace tulpar::bridge {

// True iff a message of `cls` may leave through `sink`. To the public: a Meshtastic packet whose ok_to_mqtt is
// readable (with `keys`) and set; with `rescue` also any emergency.
bool may_leave(const config::Sink& sink, const meshtastic::KeyRing& keys, queue::ClassId cls,
               std::string_view topic, ByteView payload);

}  // namespace tulpar::bridge
