// SPDX-License-Identifier: Apache-2.0
//
// Feeds files to a fuzz target once: the corpus as a test of the ordinary build, with any compiler.
//
// Usage: fuzz_NAME FILE|FOLDER...; exit 0 if none crashes, 2 if there was none.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/fuzz/fuzz.hpp"

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> inputs(const fs::path& given) {
  if (!fs::is_directory(given)) return {given};
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(given))
    if (entry.is_regular_file()) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

int main(int count, char** arguments) {
  int fed = 0;
  for (int i = 1; i < count; ++i) {
    for (const auto& file : inputs(arguments[i])) {
      std::ifstream in(file, std::ios::binary);
      const std::string text{std::istreambuf_iterator<char>(in), {}};
      // Told before: a crash leaves no other word of what caused it.
      std::printf("%s\n", file.c_str());
      std::fflush(stdout);
      // A copy of its own, so that a sanitizer sees each step beyond the end.
      const std::vector<std::uint8_t> bytes(text.begin(), text.end());
      LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
      ++fed;
    }
  }
  std::printf("%d inputs\n", fed);
  return fed ? 0 : 2;
}
