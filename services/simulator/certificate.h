#pragma once

#include <filesystem>
#include <string>

namespace simulator {

struct Certificate {
  std::string certificate_file, key_file;
  std::string sha256;  // of the certificate, in hex: what a client pins
};

// Makes a self-signed certificate for localhost in `folder` (empty: a new one in the temporary
// directory, which whoever called removes), unless there is one already. Throws std::runtime_error
// that says what failed.
Certificate make_certificate(std::filesystem::path folder);

// The pin of a certificate there is. Throws std::runtime_error.
std::string sha256_of(const std::string& certificate_file);

}  // namespace simulator
