// SPDX-License-Identifier: Apache-2.0
//
// What a command prints, and what it is given: for as long as one of these lives, standard output and error go
// to files and standard input is a text.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <string>

#include "tests/queue/store_fixture.hpp"

namespace tulpar {

class Captured {
 public:
  explicit Captured(const std::string& input = "") : input_(input), cin_(std::cin.rdbuf(input_.rdbuf())) {
    std::cin.clear();
    replace(STDIN_FILENO, "/dev/null");
    replace(STDOUT_FILENO, dir_ / "out");
    replace(STDERR_FILENO, dir_ / "error");
  }
  ~Captured() {
    flush();
    for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
      dup2(saved_[fd], fd);
      close(saved_[fd]);
    }
    std::cin.rdbuf(cin_);
    std::cin.clear();
  }
  Captured(const Captured&) = delete;
  Captured& operator=(const Captured&) = delete;

  std::string out() const { return read("out"); }
  std::string error() const { return read("error"); }

 private:
  static void flush() {
    std::fflush(stdout);
    std::fflush(stderr);
  }
  void replace(int fd, const std::string& path) {
    flush();
    saved_[fd] = dup(fd);
    const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    dup2(file, fd);
    close(file);
  }
  std::string read(const std::string& name) const {
    flush();
    std::ifstream file(dir_ / name);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  queue::TempDir dir_;
  std::istringstream input_;
  std::streambuf* cin_;
  int saved_[3] = {-1, -1, -1};
};

}  // namespace tulpar
