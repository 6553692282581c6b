// SPDX-License-Identifier: Apache-2.0
//
// A private directory under $TMPDIR that goes with its owner.
//
// Thread rule: one owner. Durable: nothing; after a kill -9 the directory stays until the system cleans up.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

namespace tulpar::demo {

class TempDir {
 public:
  // Mode 0700. Throws std::system_error where it cannot be made.
  TempDir() {
    std::error_code failed;
    std::string path = (std::filesystem::temp_directory_path(failed) / "tulpar-demo-XXXXXX").string();
    if (failed) throw std::system_error(failed, "the place for temporary files ($TMPDIR)");
    if (!mkdtemp(path.data())) throw std::system_error(errno, std::generic_category(), "mkdtemp " + path);
    path_ = path;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace tulpar::demo
