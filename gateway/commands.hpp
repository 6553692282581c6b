// SPDX-License-Identifier: Apache-2.0
//
// The commands of `tulpar` that do their work and end. Each returns the process's exit code and prints its own
// errors.
#pragma once

#include <string>

namespace tulpar {

// Prints every problem of the file, one a line; 1 if one is an error. `effective`: prints the configuration in
// effect as well.
int check_command(const std::string& file, bool effective);

// Mints an enrolment at the relay of that configuration and prints its line; revokes it.
int enrol_command(const std::string& name, const std::string& config, const std::string& address);
int revoke_command(const std::string& name, const std::string& config);

// Asks the running gateway or relay of that configuration, by its socket. `what`: status, queue, usage or plan.
int ask_command(const std::string& what, const std::string& config, bool json);
int send_command(const std::string& config, const std::string& topic, const std::string& cls,
                 const std::string& payload);

// Sets the page's operator password, read twice from the terminal or once from a pipe.
int passwd_command(const std::string& config);

}  // namespace tulpar
