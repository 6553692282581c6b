// SPDX-License-Identifier: Apache-2.0
//
// Enrolment: the one line of text that lets a gateway reach its relay, and the relay's record of it.
//
//     tulpar1 NAME HOST:PORT KEYID SECRET      (KEYID: 8 characters, SECRET: 43 characters of base64url, 32
//     bytes)
//
// Any thread; the relay's records are files of mode 0600 in STATE_DIR/enrolments/NAME, read when a peer greets,
// so `enrol` and `revoke` work whether or not the relay runs. The secret only authenticates: keys are derived
// from it with a label each (HKDF-SHA256, RFC 5869). KEYID is random and goes over the wire in clear; the name
// does not.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "config/base.hpp"

namespace tulpar::link {

using Secret = std::array<std::uint8_t, 32>;

struct Enrolment {
  std::string name;     // of the gateway
  std::string address;  // HOST:PORT of the relay
  std::string key_id;
  Secret secret{};

  std::string line() const;
};

// Error: what is wrong with the line.
Result<Enrolment> parse_enrolment(std::string_view line);
Result<Enrolment> read_enrolment(const std::string& file);

// A key of 32 bytes for one use, e.g. "tulpar tls-psk 1".
Secret derive_key(const Secret& secret, std::string_view label);

// The relay's records.
class EnrolmentBook {
 public:
  explicit EnrolmentBook(std::string state_dir) : dir_(std::move(state_dir) + "/enrolments") {}

  // Mints a new secret. Error: the name is taken or not allowed, or the directory cannot be written.
  Result<Enrolment> enrol(const std::string& name, const std::string& address);
  // Error: there is none of that name.
  Result<void> revoke(const std::string& name);
  std::optional<Enrolment> find_key(std::string_view key_id) const;
  // None where there is no book yet. Error: it cannot be read just now, which says nothing about who is in it.
  Result<std::vector<std::string>> names() const;

 private:
  std::string dir_;
};

}  // namespace tulpar::link
